package webservercore

import "strings"

// matchesVerb reports whether a verb attribute names the method: "*" or a list. Methods are case-sensitive (RFC 9110,
// section 9.1).
func matchesVerb(verbs, method string) bool {
	for v := range strings.SplitSeq(verbs, ",") {
		if v = strings.TrimSpace(v); v == "*" || v == method {
			return true
		}
	}
	return false
}

// matchesPath finds the URL path that a path attribute means in a URL path: the whole, or with what IIS calls path info
// behind a file ("/index.php/news") the part that names the file; isFile tells which parts do. A pattern may be a list.
// One that begins with a slash holds from the root of the site, every other at the end of the path: "*.php" in every
// folder, "app.js" likewise, "api/*" in every folder named api.
func matchesPath(patterns, urlPath string, isFile func(string) bool) (resource string, ok bool) {
	for p := range strings.SplitSeq(patterns, ",") {
		p = strings.TrimSpace(p)
		if p == "*" || atEnd(p, urlPath) {
			return urlPath, true
		}
		if !strings.Contains(p, ".") || isFile == nil {
			continue
		}
		for i := 1; i < len(urlPath); i++ {
			if urlPath[i] == '/' && atEnd(p, urlPath[:i]) && isFile(urlPath[:i]) {
				return urlPath[:i], true
			}
		}
	}
	return "", false
}

// atEnd matches a pattern at the end of a path, beginning behind a slash.
func atEnd(pattern, urlPath string) bool {
	switch pattern {
	case "":
		return false
	case "*.": // names without an extension, as the handlers of ASP.NET are mapped to them
		last := urlPath[strings.LastIndexByte(urlPath, '/')+1:]
		return last != "" && !strings.Contains(last, ".")
	}
	if pattern[0] == '/' {
		return glob(pattern, urlPath)
	}
	// A leading star spans folders, so that one attempt tells it all.
	if pattern[0] == '*' {
		return glob(pattern, strings.TrimPrefix(urlPath, "/"))
	}
	for i := range len(urlPath) {
		if urlPath[i] == '/' && glob(pattern, urlPath[i+1:]) {
			return true
		}
	}
	return false
}

// glob matches the whole of s: a star stands for any characters, everything else for itself in any case. It goes back
// to the last star only, so that no pattern takes more than len(pattern) times len(s) steps.
func glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && lower(pattern[p]) == lower(s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
