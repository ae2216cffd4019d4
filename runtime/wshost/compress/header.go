package compress

import (
	"net/http"
	"strings"
)

// AddVary says that the answer depends on Accept-Encoding (RFC 9110, section 12.5.5).
func AddVary(h http.Header) {
	for _, f := range h["Vary"] {
		for name := range strings.SplitSeq(f, ",") {
			if name = trim(name); name == "*" || strings.EqualFold(name, "Accept-Encoding") {
				return
			}
		}
	}
	h.Add("Vary", "Accept-Encoding")
}

// MarkEncoded makes the header of a plain answer that of an encoded one.
//
// Two codings of one thing must not share a strong validator (RFC 9110, section 8.8.3.3), so the tag becomes weak: a
// condition for a 304 compares weakly and holds for both, one for a range (If-Range) compares strongly and does not hold.
// Ranges of what is encoded are not served, so none are offered: a client that goes on with bytes of the plain file
// behind encoded ones would get neither.
func (s *Settings) MarkEncoded(h http.Header, c Coding) {
	h.Set("Content-Encoding", string(c))
	h.Del("Content-Length")
	h.Del("Accept-Ranges")
	WeakenTag(h)
	if s.c.SendCacheHeaders {
		h.Set("Cache-Control", s.c.CacheControl)
		h.Set("Expires", s.c.Expires)
	}
}

// WeakenTag makes a strong entity tag a weak one.
func WeakenTag(h http.Header) {
	if tag := h.Get("Etag"); strings.HasPrefix(tag, `"`) {
		h.Set("Etag", "W/"+tag)
	}
}

// MarkNotModified makes the header of a 304 fit the copy that the client has: a cache freshens what has the same
// validator (RFC 9111, section 4.3.4), and that of an encoded copy is weak.
func MarkNotModified(h http.Header, r *http.Request) {
	AddVary(h)
	tag := h.Get("Etag")
	if !strings.HasPrefix(tag, `"`) {
		return
	}
	for _, f := range r.Header["If-None-Match"] {
		if strings.Contains(f, "W/"+tag) {
			WeakenTag(h)
			return
		}
	}
}

// Untouchable reports whether a header forbids compression: the answer is encoded already, is a part, is to stay as it
// is (no-transform, RFC 9111, section 5.2.2.6, which applications use for that), or has a digest of its bytes (RFC 9530).
func Untouchable(h http.Header) bool {
	for _, name := range [...]string{"Content-Encoding", "Content-Range", "Content-Digest", "Repr-Digest", "Digest", "Content-Md5"} {
		if len(h[name]) > 0 && h[name][0] != "" && !(name == "Content-Encoding" && strings.EqualFold(h[name][0], string(Identity))) {
			return true
		}
	}
	for _, f := range h["Cache-Control"] {
		if strings.Contains(strings.ToLower(f), "no-transform") {
			return true
		}
	}
	return false
}
