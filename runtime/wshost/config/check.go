package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// IntegerRange allows the integers from min to max.
func IntegerRange(min, max int64) Check {
	return func(written string) error {
		n, err := strconv.ParseInt(written, 10, 64)
		if err != nil || n < min || n > max {
			return fmt.Errorf("must be a whole number from %d to %d", min, max)
		}
		return nil
	}
}

// IntegerOutside allows every integer that does not lie from min to max (the validator of IIS with "exclude").
func IntegerOutside(min, max int64) Check {
	return func(written string) error {
		n, err := strconv.ParseInt(written, 10, 64)
		if err != nil || n >= min && n <= max {
			return fmt.Errorf("must be a whole number outside %d to %d", min, max)
		}
		return nil
	}
}

// TimeSpanRange allows time spans from min to max seconds in steps of granularity seconds.
func TimeSpanRange(min, max, granularity int64) Check {
	return func(written string) error {
		d, ok := parseHMS(written)
		s := int64(d / time.Second)
		if !ok || d%time.Second != 0 || s < min || s > max || granularity > 0 && s%granularity != 0 {
			return fmt.Errorf("must be a time span from %d to %d seconds in steps of %d", min, max, granularity)
		}
		return nil
	}
}

// NonEmpty refuses the empty string.
func NonEmpty() Check {
	return func(written string) error {
		if written == "" {
			return errors.New("must not be empty")
		}
		return nil
	}
}

// siteName is the rule of IIS for the names of sites.
func siteName(written string) error {
	if written == "" || strings.ContainsAny(written, `/\?`) {
		return errors.New(`must be a name without any of / \ ?`)
	}
	return nil
}

// urlPath is the rule of IIS for the paths of applications and virtual directories.
func urlPath(written string) error {
	if written == "/" {
		return nil
	}
	bad := !strings.HasPrefix(written, "/") || strings.HasSuffix(written, "/") || strings.ContainsAny(written, "\\?\x00")
	for _, segment := range strings.Split(strings.TrimPrefix(written, "/"), "/") {
		bad = bad || segment == "" || segment == "." || segment == ".."
	}
	if bad {
		return errors.New(`must begin with "/", must not end with it, and has no empty, "." or ".." part`)
	}
	return nil
}
