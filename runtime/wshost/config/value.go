package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A value is what an attribute holds: its canonical written form, and its number where it has one (bool, enum, flags,
// integers; nanoseconds for a time span).
type value struct {
	set  bool
	text string
	num  int64
	at   place
}

// parse reads the written form of an attribute's value by its type.
func (a *Attribute) parse(written string) (value, error) {
	switch a.Type {
	case Bool:
		switch {
		case strings.EqualFold(written, "true"):
			return value{text: "true", num: 1}, nil
		case strings.EqualFold(written, "false"):
			return value{text: "false"}, nil
		}
		return value{}, fmt.Errorf("must be true or false")
	case Enum:
		for _, v := range a.Values {
			if strings.EqualFold(v.Name, written) {
				return value{text: v.Name, num: v.Value}, nil
			}
		}
		return value{}, fmt.Errorf("must be one of %s%s", a.allowed(), didYouMean(written, a.valueNames()))
	case Flags:
		return a.parseFlags(written)
	case Uint:
		return parseInteger(written, 0, math.MaxUint32)
	case Int:
		return parseInteger(written, math.MinInt32, math.MaxInt32)
	case Int64:
		return parseInteger(written, math.MinInt64, math.MaxInt64)
	case TimeSpan:
		return a.parseTimeSpan(written)
	case String:
		return value{text: written}, nil
	}
	return value{}, fmt.Errorf("unknown type %q", a.Type)
}

func parseInteger(written string, low, high int64) (value, error) {
	n, err := strconv.ParseInt(written, 10, 64)
	if err != nil || n < low || n > high || strings.HasPrefix(written, "+") {
		return value{}, fmt.Errorf("must be a whole number from %d to %d", low, high)
	}
	return value{text: strconv.FormatInt(n, 10), num: n}, nil
}

// parseFlags reads "Name, Name". The canonical form has each name once, in the order of the declaration.
func (a *Attribute) parseFlags(written string) (value, error) {
	named := make([]bool, len(a.Values))
	if strings.TrimSpace(written) != "" {
	next:
		for _, part := range strings.Split(written, ",") {
			part = strings.TrimSpace(part)
			for i, v := range a.Values {
				if strings.EqualFold(v.Name, part) {
					named[i] = true
					continue next
				}
			}
			return value{}, fmt.Errorf("%q is none of %s%s", part, a.allowed(), didYouMean(part, a.valueNames()))
		}
	}
	var v value
	var names []string
	for i, on := range named {
		if on && a.Values[i].Value != 0 {
			v.num |= a.Values[i].Value
			names = append(names, a.Values[i].Name)
		}
	}
	v.text = strings.Join(names, ", ")
	return v, nil
}

func (a *Attribute) valueNames() []string {
	names := make([]string, len(a.Values))
	for i, v := range a.Values {
		names[i] = v.Name
	}
	return names
}

func (a *Attribute) allowed() string { return strings.Join(a.valueNames(), ", ") }

// parseTimeSpan reads [d.]hh:mm:ss with at most seven decimals of a second, or a whole number of seconds or minutes.
func (a *Attribute) parseTimeSpan(written string) (value, error) {
	if a.AllowInfinite && strings.EqualFold(written, "Infinite") {
		return value{text: "Infinite", num: int64(Infinite)}, nil
	}
	if a.TimeFormat != HMS {
		unit := time.Second
		if a.TimeFormat == Minutes {
			unit = time.Minute
		}
		v, err := parseInteger(written, 0, math.MaxInt64/int64(unit)-1)
		if err != nil {
			return value{}, fmt.Errorf("must be a whole number of %s", a.TimeFormat)
		}
		v.num *= int64(unit)
		return v, nil
	}
	d, ok := parseHMS(written)
	if !ok {
		return value{}, fmt.Errorf("must be a time span, [d.]hh:mm:ss with hours below 24")
	}
	return value{text: written, num: int64(d)}, nil
}

func parseHMS(s string) (time.Duration, bool) {
	s, negative := strings.CutPrefix(s, "-")
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0, false
	}
	days := int64(0)
	if d, h, found := strings.Cut(parts[0], "."); found {
		n, ok := digits(d, 6, 106750)
		if !ok {
			return 0, false
		}
		days, parts[0] = n, h
	}
	sec, frac, fraction := strings.Cut(parts[2], ".")
	hours, ok1 := digits(parts[0], 2, 23)
	minutes, ok2 := digits(parts[1], 2, 59)
	seconds, ok3 := digits(sec, 2, 59)
	if !ok1 || !ok2 || !ok3 {
		return 0, false
	}
	nanos := int64(0)
	if fraction {
		n, ok := digits(frac, 7, 9999999)
		if !ok {
			return 0, false
		}
		nanos = n * 100
		for range 7 - len(frac) {
			nanos *= 10
		}
	}
	total := time.Duration(((days*24+hours)*60+minutes)*60+seconds)*time.Second + time.Duration(nanos)
	if negative {
		total = -total
	}
	return total, total != Infinite
}

// digits reads an unsigned number of at most width digits.
func digits(s string, width int, high int64) (int64, bool) {
	if s == "" || len(s) > width || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n <= high
}
