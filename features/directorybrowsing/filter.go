package directorybrowsing

import (
	"net/url"
	"path"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// filterSection is the section of Request Filtering. A unit does not import another; the names are those of
// configuration files. It is read as it stands for the folder, and is not there when that feature is not installed.
const filterSection = "system.webServer/security/requestFiltering"

// filter is what Request Filtering refuses by the name of a file.
type filter struct {
	DoubleEscaping bool `config:"allowDoubleEscaping"`
	HighBit        bool `config:"allowHighBitCharacters"`
	Extensions     struct {
		AllowUnlisted bool `config:"allowUnlisted"`
		Entries       []struct {
			Extension string `config:"fileExtension"`
			Allowed   bool   `config:"allowed"`
		} `config:",collection"`
	} `config:"fileExtensions"`
	Limits struct {
		MaxURL uint32 `config:"maxUrl"`
	} `config:"requestLimits"`
	Hidden struct {
		Entries []struct {
			Segment string `config:"segment"`
		} `config:",collection"`
	} `config:"hiddenSegments"`
	Allowed struct {
		Entries []struct {
			URL string `config:"url"`
		} `config:",collection"`
	} `config:"alwaysAllowedUrls"`
	Denied struct {
		Entries []struct {
			Sequence string `config:"sequence"`
		} `config:",collection"`
	} `config:"denyUrlSequences"`
}

// newFilter returns the filter of a folder, nil when requests are not filtered there.
func newFilter(c *config.Effective) *filter {
	if !c.Has("system.webServer/modules", "RequestFilteringModule") {
		return nil
	}
	f, err := config.Decode[filter](c, filterSection)
	if err != nil {
		return nil
	}
	return f
}

// listed reports whether a request for a name in the folder can have an answer. Whatever is in doubt is left out: a
// listing must not tell the names of what may not be had.
func (f *filter) listed(folder, name string, isFolder bool) bool {
	// A name with a leading dot is hidden on this system, as one with the hidden attribute is on Windows, where it is
	// neither listed nor served.
	if strings.HasPrefix(name, ".") || strings.EqualFold(name, "web.config") {
		return false
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == '\ufffd' }) {
		return false // the host refuses such a URL, or it is no text
	}
	if isFolder {
		return f == nil || f.allows(folder+name+"/", name)
	}
	return f == nil || f.allows(folder+name, name)
}

// allows applies the checks of Request Filtering that look at a URL path.
func (f *filter) allows(urlPath, name string) bool {
	written := (&url.URL{Path: urlPath}).EscapedPath()
	if len(written) > int(f.Limits.MaxURL) {
		return false
	}
	if !f.DoubleEscaping && escaped(urlPath) {
		return false
	}
	if !f.HighBit && strings.ContainsFunc(urlPath, func(r rune) bool { return r >= 0x80 }) {
		return false
	}
	for _, h := range f.Hidden.Entries {
		if strings.EqualFold(h.Segment, name) {
			return false
		}
	}
	// The URL of a folder ends with a slash, and has no extension.
	ext, allowed := path.Ext(urlPath), f.Extensions.AllowUnlisted
	if ext == "" {
		ext = "."
	}
	for _, e := range f.Extensions.Entries {
		if strings.EqualFold(e.Extension, ext) {
			allowed = e.Allowed
		}
	}
	return allowed && !f.denies(urlPath, written)
}

// denies looks for the parts of a URL that are forbidden.
func (f *filter) denies(urlPath, written string) bool {
	for _, a := range f.Allowed.Entries {
		if strings.EqualFold(a.URL, urlPath) {
			return false
		}
	}
	for _, d := range f.Denied.Entries {
		part := strings.ToLower(d.Sequence)
		if strings.Contains(strings.ToLower(urlPath), part) || strings.Contains(strings.ToLower(written), part) {
			return true
		}
	}
	return false
}

// escaped reports whether a decoded path holds an escape, so that it changes when it is decoded once more.
func escaped(s string) bool {
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '%' && hex(s[i+1]) && hex(s[i+2]) {
			return true
		}
	}
	return false
}

func hex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
