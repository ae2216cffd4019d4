package all_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	static  = "/big.txt\nAccept-Encoding: gzip"
	dynamic = "/app/text\nAccept-Encoding: gzip"
)

func compressionProofs() []proofs {
	whole := func(attributes, content string) string {
		return `<httpCompression ` + attributes + `>` + content + `</httpCompression>`
	}
	const headers = "Cache-Control Expires Content-Encoding"
	const coding = "Content-Encoding"
	section := []proof{
		{of: "@sendCacheHeaders", with: "true", without: unset, ask: static, see: headers, want: "200 max-age=86400 Wed, 01 Jan 1997 12:00:00 GMT gzip", otherwise: "200   gzip"},
		{of: "@expiresHeader", in: whole(`sendCacheHeaders="true" §`, ""), with: "0", without: unset, ask: static, see: "Expires", want: "200 0", otherwise: "200 Wed, 01 Jan 1997 12:00:00 GMT"},
		{of: "@cacheControlHeader", in: whole(`sendCacheHeaders="true" §`, ""), with: "max-age=1", without: unset, ask: static, see: "Cache-Control", want: "200 max-age=1", otherwise: "200 max-age=86400"},
		{of: "@minFileSizeForComp", with: "5001", without: "5000", ask: static, see: coding, want: "200 ", otherwise: "200 gzip"},
		{of: "@noCompressionForHttp10", with: "false", without: unset, ask: "GET /app/text HTTP/1.0\nAccept-Encoding: gzip", see: coding, want: "200 gzip", otherwise: "200 "},
		{of: "@noCompressionForProxies", with: "false", without: unset, ask: dynamic + "\nVia: 1.1 x", see: coding, want: "200 gzip", otherwise: "200 "},
		{of: "@noCompressionForRange", with: "false", without: unset, ask: dynamic + "\nRange: bytes=0-", see: coding, want: "200 gzip", otherwise: "200 "},
		{of: "scheme@name", in: whole("", `<clear/><scheme § dll="x"/>`), with: "gzip", without: "br", ask: static, see: coding, want: "200 gzip", otherwise: "200 "},
		{of: "scheme@doStaticCompression", in: whole("", `<scheme name="gzip" dll="x" §/>`), with: "false", without: "true", ask: static, see: coding, want: "200 ", otherwise: "200 gzip"},
		{of: "scheme@doDynamicCompression", in: whole("", `<scheme name="gzip" dll="x" §/>`), with: "false", without: "true", ask: dynamic, see: coding, want: "200 ", otherwise: "200 gzip"},
		{of: "scheme@staticCompressionLevel", in: whole("", `<scheme name="gzip" dll="x" §/>`), with: "9", without: "1", ask: static, do: gzipLevel, want: "best", otherwise: "fast"},
		{of: "scheme@dynamicCompressionLevel", in: whole("", `<scheme name="gzip" dll="x" §/>`), with: "9", without: "1", ask: dynamic, do: gzipLevel, want: "best", otherwise: "fast"},
		{of: "#remove", in: whole("", "§"), with: `<remove name="gzip"/>`, without: unset, ask: static, see: coding, want: "200 ", otherwise: "200 gzip"},
		{of: "#clear", in: whole("", "§"), with: `<clear/>`, without: unset, ask: static, see: coding, want: "200 ", otherwise: "200 gzip"},
	}
	for list, ask := range map[string]string{"staticTypes": static, "dynamicTypes": dynamic} {
		in := func(s string) string { return whole("", "<"+list+">"+s+"</"+list+">") }
		section = append(section,
			proof{of: list + "/add@mimeType", in: in(`<add § enabled="false"/>`), with: "text/plain", without: "text/html", ask: ask, see: coding, want: "200 ", otherwise: "200 gzip"},
			proof{of: list + "/add@enabled", in: in(`<add mimeType="text/plain" §/>`), with: "false", without: "true", ask: ask, see: coding, want: "200 ", otherwise: "200 gzip"},
			proof{of: list + "#remove", in: in(`§`), with: `<remove mimeType="text/*"/>`, without: unset, ask: ask, see: coding, want: "200 ", otherwise: "200 gzip"},
			proof{of: list + "#clear", in: in(`§`), with: `<clear/>`, without: unset, ask: ask, see: coding, want: "200 ", otherwise: "200 gzip"},
		)
	}
	for i := range section {
		section[i].wait = true
	}
	return []proofs{
		{section: "system.webServer/httpCompression", cases: section},
		{section: "system.webServer/httpCompression", own: true, cases: []proof{
			{of: "@directory", with: "elsewhere", without: unset, do: copies, want: "elsewhere/site-0", otherwise: "cache/compressed/site-0"},
			{of: "@doDiskSpaceLimiting", in: whole(`maxDiskSpaceUsage="0" §`, ""), with: "false", without: unset, do: copies, want: "cache/compressed/site-0", otherwise: "none"},
			{of: "@maxDiskSpaceUsage", with: "1", without: "0", do: copies, want: "cache/compressed/site-0", otherwise: "none"},
		}},
		{section: "system.webServer/urlCompression", cases: []proof{
			{of: "@doStaticCompression", with: "false", without: unset, ask: static, see: coding, want: "200 ", otherwise: "200 gzip", wait: true},
			{of: "@doDynamicCompression", with: "false", without: unset, ask: dynamic, see: coding, want: "200 ", otherwise: "200 gzip", wait: true},
		}},
	}
}

// gzipLevel tells the level of an answer by the field that encoders fill in (RFC 1952, section 2.3.1, XFL).
func gzipLevel(v *variant) string {
	a := v.request(v.p.ask)
	switch {
	case a.header.Get("Content-Encoding") != "gzip" || len(a.body) < 9:
		return "not compressed"
	case a.body[8] == 2:
		return "best"
	case a.body[8] == 4:
		return "fast"
	}
	return "XFL " + strconv.Itoa(int(a.body[8]))
}

// copies tells where the host keeps compressed copies of files, once it has answered with one as far as it does.
func copies(v *variant) string {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		if a := v.request(static); a.header.Get("Content-Encoding") != "" || v.want == "none" {
			break
		}
	}
	v.stop()
	where := "none"
	_ = filepath.WalkDir(v.home, func(p string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".gzip") {
			p, _ = filepath.Rel(v.home, filepath.Dir(p))
			where = strings.ReplaceAll(filepath.ToSlash(p), "1", "0")
		}
		return err
	})
	return where
}
