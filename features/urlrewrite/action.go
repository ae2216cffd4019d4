package urlrewrite

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// act carries the action of a rule out. Rewriting changes the URL that later rules see; the other actions end the
// request.
func (w *walker) act(r *rule, c *scope, base string) error {
	a := &r.action
	switch a.kind {
	case actionNone:
		return nil
	case actionAbort:
		w.verdict.kind = actionAbort
		return nil
	case actionCustom:
		reason, err := c.expand(&a.reason)
		if err != nil {
			return err
		}
		description, err := c.expand(&a.description)
		if err != nil {
			return err
		}
		w.verdict = verdict{kind: a.kind, status: a.status, subStatus: a.subStatus, reason: reason, description: description}
		return nil
	}
	target, err := c.expandURL(&a.url)
	if err != nil {
		return err
	}
	if a.kind == actionRedirect {
		w.verdict = verdict{kind: a.kind, status: a.status, url: w.location(target, a, base)}
		return nil
	}
	w.rewrite(r, target, base)
	return nil
}

// rewrite gives the request another path and query string.
func (w *walker) rewrite(r *rule, target, base string) {
	local, elsewhere := w.local(target)
	if elsewhere || namesServer(r.action.url.written) && w.forwards() {
		w.forward(r, target)
		return
	}
	p, query, _ := strings.Cut(local, "?")
	if r.action.url.written == "" {
		p = escapeReserved(w.path) // without a url only the query string may change
		base = "/"
	}
	p, problem := clean(p, base)
	if problem != "" {
		w.verdict.failure = &module.HTTPError{
			Status: http.StatusBadRequest, Module: name, Summary: fmt.Sprintf("the rewrite rule %q makes a URL that %s", r.name, problem),
		}
		return
	}
	query = escapeUnsafe(query, `"<>#`)
	if r.action.appendQuery && w.query != "" {
		query = strings.TrimPrefix(joinQuery("?"+query, w.query), "?")
	}
	w.own()
	w.noteOriginal()
	w.path, w.query = p, query
	w.r.URL.RawQuery = query
	w.verdict.kind, w.verdict.url = actionRewrite, w.current()
}

// local takes scheme and host off a URL that leads to this very server; elsewhere is true for one that does not.
func (w *walker) local(target string) (rest string, elsewhere bool) {
	scheme, after, ok := cutScheme(target)
	if !ok {
		return target, false
	}
	end := strings.IndexAny(after, "/?")
	if end < 0 {
		end = len(after)
	}
	if !strings.EqualFold(scheme, w.scheme()) || !strings.EqualFold(after[:end], w.r.Host) {
		return "", true
	}
	if after = after[end:]; !strings.HasPrefix(after, "/") {
		after = "/" + after
	}
	return after, false
}

// cutScheme splits "scheme://rest" (RFC 3986, section 3.1).
func cutScheme(target string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(target, "://")
	if !ok || scheme == "" || !isLetter(scheme[0]) {
		return "", "", false
	}
	for i := range len(scheme) {
		if c := scheme[i]; !isLetter(c) && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
			return "", "", false
		}
	}
	return scheme, rest, true
}

// clean makes the path of a target one as the host makes of a request: decoded once, without dot segments, from the
// root of the site.
func clean(target, base string) (p, problem string) {
	p = strings.ReplaceAll(unescape(target), `\`, "/")
	if !strings.HasPrefix(p, "/") {
		p = base + p
	}
	if strings.ContainsFunc(p, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return "", "contains a control character"
	}
	depth := 0
	for seg := range strings.SplitSeq(p, "/") {
		switch seg {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return "", "climbs above the root of the site"
			}
		default:
			depth++
		}
	}
	folder := strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")
	if p = path.Clean(p); folder && p != "/" {
		p += "/"
	}
	return p, ""
}

// location returns the Location of a redirection: as it is when it names a server, else a path from the root of the
// site. That is what IIS means by it, without the name of the server that a proxy in front may have changed.
func (w *walker) location(target string, a *action, base string) string {
	_, _, absolute := cutScheme(target)
	if strings.HasPrefix(a.url.prefix(), "//") {
		absolute = true // the rule itself names another server under the same scheme
	}
	if !absolute {
		// Only the rule may lead to another server, never what a client has put into its URL: browsers read two
		// slashes, or a slash and a backslash, as the beginning of a host name.
		if trimmed := strings.TrimLeft(target, `/\`); len(trimmed) != len(target) {
			target = "/" + trimmed
		} else {
			target = (&url.URL{Path: base}).EscapedPath() + target
		}
	}
	target, fragment, hasFragment := strings.Cut(target, "#")
	if a.appendQuery {
		target = joinQuery(target, w.query)
	}
	if hasFragment {
		target += "#" + fragment
	}
	return escapeUnsafe(target, "\"<>\\^`{|}")
}

// escapeUnsafe escapes what may not stand in a URL, and some characters more. Escapes that are there already stay; a
// percent sign alone is escaped. What it returns holds no control character, whatever came in.
func escapeUnsafe(s, more string) string {
	unsafe := func(i int) bool {
		c := s[i]
		return c <= ' ' || c >= 0x7f || strings.IndexByte(more, c) >= 0 || c == '%' && !isEscape(s[i:])
	}
	i := 0
	for i < len(s) && !unsafe(i) {
		i++
	}
	if i == len(s) {
		return s
	}
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		if unsafe(i) {
			b = append(b, '%', digits[s[i]>>4], digits[s[i]&15])
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}
