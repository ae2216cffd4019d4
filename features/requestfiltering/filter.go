package requestfiltering

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// refuse says why the request is refused, nil when it is not. The sub-statuses are those of IIS, which documents no
// order for its checks: cheap ones come first, and a hidden segment goes before its extension, so that web.config is
// 404.8 as people know it.
func (c *filterConfig) refuse(s *subject) *module.HTTPError {
	for _, check := range [...]func(*subject) *module.HTTPError{
		c.sizes, c.verb, c.escapes, c.segments, c.fileExtension, c.urlSequences, c.querySequences, c.rules,
	} {
		if e := check(s); e != nil {
			return e
		}
	}
	return nil
}

// sizes checks the lengths: 404.14, 404.15, 413.1 and 404.10.
func (c *filterConfig) sizes(s *subject) *module.HTTPError {
	l := &c.Limits
	switch {
	case len(s.raw) > int(l.MaxURL):
		return refusal(14, fmt.Sprintf("the path of the URL is longer than %d bytes", l.MaxURL), "raise maxUrl of <requestLimits>")
	case len(s.query) > int(l.MaxQuery):
		return refusal(15, fmt.Sprintf("the query string is longer than %d bytes", l.MaxQuery), "raise maxQueryString of <requestLimits>")
	case s.length > int64(l.MaxContentLength):
		return tooLong(l.MaxContentLength)
	}
	for _, h := range l.Headers.Entries {
		total := 0
		for _, v := range s.values(h.Header) {
			total += len(v)
		}
		if total > int(h.Size) {
			return refusal(10, fmt.Sprintf("the header field %q is longer than %d bytes", h.Header, h.Size), "raise its sizeLimit in <headerLimits>")
		}
	}
	return nil
}

// verb checks the method, which is case-sensitive (RFC 9110, section 9.1): 404.6.
func (c *filterConfig) verb(s *subject) *module.HTTPError {
	allowed := c.Verbs.AllowUnlisted
	for _, v := range c.Verbs.Entries {
		if v.Verb == s.method {
			allowed = v.Allowed
		}
	}
	if allowed {
		return nil
	}
	return refusal(6, "the verb "+strconv.Quote(s.method)+" is not allowed", `list it in <verbs> with allowed="true"`)
}

// escapes checks the form of the path: 404.11 and 404.12.
func (c *filterConfig) escapes(s *subject) *module.HTTPError {
	if !c.AllowDoubleEscaping {
		if unescape(s.once) != s.once {
			return refusal(11, "the URL is escaped twice", `set allowDoubleEscaping="true" when file names really contain percent signs`)
		}
		// As IIS does: whoever decodes a second time, as for a form, reads another name with a space.
		if strings.Contains(s.once, "+") {
			return refusal(11, "the path of the URL contains a plus sign, which some programs read as a space", `set allowDoubleEscaping="true" when names really contain plus signs`)
		}
	}
	if !c.AllowHighBit && strings.ContainsFunc(s.once, func(r rune) bool { return r >= 0x80 }) {
		return refusal(12, "the URL contains characters beyond ASCII", `set allowHighBitCharacters="true"`)
	}
	return nil
}

// segments looks for whole hidden segments: 404.8. Case does not matter, so that no spelling slips through where file
// names are compared without case.
func (c *filterConfig) segments(s *subject) *module.HTTPError {
	for seg := range strings.SplitSeq(s.clean, "/") {
		for _, h := range c.Hidden.Entries {
			if strings.EqualFold(seg, h.Segment) {
				return refusal(8, fmt.Sprintf("the segment %q is hidden", h.Segment), "remove it from <hiddenSegments> if it is meant to be served")
			}
		}
	}
	return nil
}

// fileExtension checks the extension of the last segment: 404.7.
func (c *filterConfig) fileExtension(s *subject) *module.HTTPError {
	allowed := c.Extensions.AllowUnlisted
	for _, e := range c.Extensions.Entries {
		if strings.EqualFold(e.Extension, s.extension) {
			allowed = e.Allowed
		}
	}
	if allowed {
		return nil
	}
	return refusal(7, fmt.Sprintf("the file extension %q is not allowed", s.extension), `list it in <fileExtensions> with allowed="true"`)
}

// urlSequences looks for forbidden parts of the path: 404.5. alwaysAllowedUrls excepts whole paths from this check only.
func (c *filterConfig) urlSequences(s *subject) *module.HTTPError {
	for _, a := range c.AllowedURLs.Entries {
		if strings.EqualFold(a.URL, s.clean) {
			return nil
		}
	}
	for _, d := range c.DeniedURLs.Entries {
		if containsFold(s.raw, d.Sequence) || containsFold(s.once, d.Sequence) || containsFold(s.clean, d.Sequence) {
			return refusal(5, fmt.Sprintf("the URL contains the sequence %q", d.Sequence), "remove it from <denyUrlSequences>, or list the URL in <alwaysAllowedUrls>")
		}
	}
	return nil
}

// queryForms returns the query as it is to be searched.
func (c *filterConfig) queryForms(s *subject) []string {
	if !c.UnescapeQuery || !strings.Contains(s.query, "%") {
		return []string{s.query}
	}
	return []string{s.query, unescape(s.query)}
}

// querySequences looks for forbidden parts of the query: 404.18. alwaysAllowedQueryStrings excepts whole query strings.
func (c *filterConfig) querySequences(s *subject) *module.HTTPError {
	for _, a := range c.AllowedQueries.Entries {
		if strings.EqualFold(strings.TrimPrefix(a.Query, "?"), s.query) {
			return nil
		}
	}
	for _, d := range c.DeniedQueries.Entries {
		for _, query := range c.queryForms(s) {
			if containsFold(query, d.Sequence) {
				return refusal(18, fmt.Sprintf("the query string contains the sequence %q", d.Sequence), "remove it from <denyQueryStringSequences>, or list the query string in <alwaysAllowedQueryStrings>")
			}
		}
	}
	return nil
}

// rules applies the filtering rules: 404.19.
func (c *filterConfig) rules(s *subject) *module.HTTPError {
	for i := range c.Rules.Entries {
		r := &c.Rules.Entries[i]
		if !r.applies(s.extension) {
			continue
		}
		if what, where, ok := c.find(r, s); ok {
			return refusal(19, fmt.Sprintf("the filtering rule %q found %s in %s", r.Name, what, where), "change the rule in <filteringRules>")
		}
	}
	return nil
}

func (r *rule) applies(extension string) bool {
	for _, a := range r.AppliesTo.Entries {
		if strings.EqualFold(a.Extension, extension) {
			return true
		}
	}
	return len(r.AppliesTo.Entries) == 0
}

// find returns what a rule found in the request, and where.
func (c *filterConfig) find(r *rule, s *subject) (what, where string, ok bool) {
	type place struct {
		name string
		text []string
	}
	var places []place
	if r.ScanURL {
		places = append(places, place{"the URL", []string{s.raw, s.once}})
	}
	if r.ScanQuery {
		places = append(places, place{"the query string", c.queryForms(s)})
	}
	if r.DenyUnescapedPercent {
		for _, p := range places {
			if barePercent(p.text[0]) {
				return "a percent sign that escapes nothing", p.name, true
			}
		}
	}
	for _, h := range r.ScanHeaders.Entries {
		places = append(places, place{"the header field " + strconv.Quote(h.Header), s.values(h.Header)})
	}
	if r.ScanAllRaw {
		all := []string{"Host: " + s.host}
		for k, vs := range s.header {
			for _, v := range vs {
				all = append(all, k+": "+v)
			}
		}
		places = append(places, place{"the header", all})
	}
	for _, p := range places {
		for _, d := range r.Deny.Entries {
			for _, t := range p.text {
				if containsFold(t, d.String) {
					return strconv.Quote(d.String), p.name, true
				}
			}
		}
	}
	return "", "", false
}
