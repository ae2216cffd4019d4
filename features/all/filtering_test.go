package all_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// filterCase is a request under a requestFiltering section, with the status that it must get.
type filterCase struct {
	name, section, request string
	status, sub            int // sub-status for refusals
}

func (h *testHost) filter(t *testing.T, cases []filterCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h.webConfig("<security><requestFiltering " + c.section + "</requestFiltering></security>")
			head, body, _ := strings.Cut(c.request, "\n\n")
			a := h.ask(head, body)
			want := fmt.Sprintf("%d.%d", c.status, c.sub)
			if a.status < 400 || strings.HasPrefix(c.request, "HEAD") { // no page names the sub-status
				want = fmt.Sprint(c.status)
			}
			if got := a.named(); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func filterHost(t *testing.T) *testHost {
	h := startHost(t, newHome(t, "web-server-core", "static-content", "http-errors", "request-filtering"))
	h.site("a.txt", "a")
	h.site("100%25.txt", "percent")
	h.site("gruß.txt", "x")
	h.site("bin/x.txt", "x")
	h.site("binary/x.txt", "x")
	return h
}

// rule is a requestFiltering section with one filtering rule, from the end of its start tag on.
func rule(attributes, inner string) string {
	return `><filteringRules><filteringRule name="r" ` + attributes + ">" + inner + "</filteringRule></filteringRules>"
}

func TestFilterOfUrls(t *testing.T) {
	const get = "GET /a.txt HTTP/1.1"
	long := func(n int) string { return "GET /" + strings.Repeat("a", n-1) + " HTTP/1.1" }
	query := func(n int) string { return "GET /a.txt?" + strings.Repeat("q", n) + " HTTP/1.1" }
	filterHost(t).filter(t, []filterCase{
		{"nothing special", ">", get, 200, 0},
		{"hidden from the start", ">", "GET /web.config HTTP/1.1", 404, 8},
		{"hidden in any case", ">", "GET /sub/WEB.Config HTTP/1.1", 404, 8},
		{"hidden and escaped", ">", "GET /web%2econfig HTTP/1.1", 404, 8},
		{"hidden as a folder", ">", "GET /web.config/x.txt HTTP/1.1", 404, 8},
		{"hidden by the site", `><hiddenSegments><add segment="bin" /></hiddenSegments>`, "GET /bin/x.txt HTTP/1.1", 404, 8},
		{"hidden by dot segments", `><hiddenSegments><add segment="bin" /></hiddenSegments>`, "GET /binary/../bin/x.txt HTTP/1.1", 404, 8},
		{"not a whole segment", `><hiddenSegments><add segment="bin" /></hiddenSegments>`, "GET /binary/x.txt HTTP/1.1", 200, 0},
		{"no longer hidden", `><hiddenSegments><clear /></hiddenSegments>`, "GET /applicationHost.config HTTP/1.1", 404, 0},
		{"a sequence", `><denyUrlSequences><add sequence=".." /></denyUrlSequences>`, "GET /bin/../a.txt HTTP/1.1", 404, 5},
		{"a sequence in any case", `><denyUrlSequences><add sequence="A.T" /></denyUrlSequences>`, get, 404, 5},
		{"an escaped sequence", `><denyUrlSequences><add sequence="a.t" /></denyUrlSequences>`, "GET /%61.txt HTTP/1.1", 404, 5},
		{"a sequence as escape", `><denyUrlSequences><add sequence="%61" /></denyUrlSequences>`, "GET /%61.txt HTTP/1.1", 404, 5},
		{"a sequence of the query only", `><denyUrlSequences><add sequence="a=b" /></denyUrlSequences>`, "GET /a.txt?a=b HTTP/1.1", 200, 0},
		{"a sequence, always allowed", `><alwaysAllowedUrls><add url="/a.txt" /></alwaysAllowedUrls><denyUrlSequences><add sequence="a.t" /></denyUrlSequences>`, get, 200, 0},
		{"always allowed, other checks", `><alwaysAllowedUrls><add url="/web.config" /></alwaysAllowedUrls>`, "GET /web.config HTTP/1.1", 404, 8},
		{"escaped twice", ">", "GET /%2561.txt HTTP/1.1", 404, 11},
		{"escaped twice, allowed", `allowDoubleEscaping="true">`, "GET /100%2525.txt HTTP/1.1", 200, 0},
		{"a plus sign", ">", "GET /a+b.txt HTTP/1.1", 404, 11},
		{"an escaped plus sign", ">", "GET /a%2Bb.txt HTTP/1.1", 404, 11},
		{"a plus sign, allowed", `allowDoubleEscaping="true">`, "GET /a+b.txt HTTP/1.1", 404, 0},
		{"a plus sign of the query", ">", "GET /a.txt?a+b HTTP/1.1", 200, 0},
		{"the absolute form", ">", "GET http://localhost/a.txt HTTP/1.1", 200, 0},
		{"the absolute form, a sequence as written", `><denyUrlSequences><add sequence="bin/.." /></denyUrlSequences>`, "GET http://localhost/bin/../a.txt HTTP/1.1", 404, 5},
		{"the absolute form without a path", ">", "GET http://localhost?x=/%2561 HTTP/1.1", 403, 14},
		{"hidden goes before its extension", `><fileExtensions><add fileExtension=".config" allowed="false" /></fileExtensions>`, "GET /web.config HTTP/1.1", 404, 8},
		{"a percent sign alone", ">", "GET /100%25 HTTP/1.1", 404, 0},
		{"high characters", ">", "GET /gru%C3%9F.txt HTTP/1.1", 200, 0},
		{"high characters, refused", `allowHighBitCharacters="false">`, "GET /gru%C3%9F.txt HTTP/1.1", 404, 12},
		{"the longest URL", ">", long(4096), 404, 0},
		{"a longer URL", ">", long(4097), 404, 14},
		{"the longest of the site", `><requestLimits maxUrl="6" />`, get, 200, 0},
		{"longer than the site's", `><requestLimits maxUrl="5" />`, get, 404, 14},
		{"the longest query", ">", query(2048), 200, 0},
		{"a longer query", ">", query(2049), 404, 15},
		{"a query sequence", `><denyQueryStringSequences><add sequence="&lt;script" /></denyQueryStringSequences>`, "GET /a.txt?x=%3CScript HTTP/1.1", 404, 18},
		{"a query sequence, as written", `unescapeQueryString="false"><denyQueryStringSequences><add sequence="&lt;script" /></denyQueryStringSequences>`, "GET /a.txt?x=%3CScript HTTP/1.1", 200, 0},
		{"a query sequence, always allowed", `><alwaysAllowedQueryStrings><add queryString="?x=1" /></alwaysAllowedQueryStrings><denyQueryStringSequences><add sequence="x" /></denyQueryStringSequences>`, "GET /a.txt?x=1 HTTP/1.1", 200, 0},
		{"a query string, always allowed, other checks", rule(`scanQueryString="true"`, `<denyStrings><add string="x" /></denyStrings>`) + `<alwaysAllowedQueryStrings><add queryString="x=1" /></alwaysAllowedQueryStrings>`, "GET /a.txt?x=1 HTTP/1.1", 404, 19},
		{"a URL, always allowed, other checks", rule(`scanUrl="true"`, `<denyStrings><add string="a.t" /></denyStrings>`) + `<alwaysAllowedUrls><add url="/a.txt" /></alwaysAllowedUrls>`, get, 404, 19},
		{"only the whole URL is always allowed", `><alwaysAllowedUrls><add url="/a" /></alwaysAllowedUrls><denyUrlSequences><add sequence="a.t" /></denyUrlSequences>`, get, 404, 5},
		{"the longest query of the site", `><requestLimits maxQueryString="3" />`, query(3), 200, 0},
		{"longer than the site's query", `><requestLimits maxQueryString="3" />`, query(4), 404, 15},
		{"an extension", `><fileExtensions><add fileExtension=".TXT" allowed="false" /></fileExtensions>`, get, 404, 7},
		{"only one extension", `><fileExtensions allowUnlisted="false"><add fileExtension=".txt" allowed="true" /></fileExtensions>`, get, 200, 0},
		{"none but one extension", `><fileExtensions allowUnlisted="false"><add fileExtension=".txt" allowed="true" /></fileExtensions>`, "GET / HTTP/1.1", 404, 7},
		{"no extension allowed", `><fileExtensions allowUnlisted="false"><add fileExtension="." allowed="true" /></fileExtensions>`, "GET / HTTP/1.1", 403, 14},
		{"too many segments, by the host", ">", "GET " + strings.Repeat("/a", 33) + " HTTP/1.1", 404, 20},
		{"as many as allowed", ">", "GET " + strings.Repeat("/a", 32) + " HTTP/1.1", 404, 0},
	})
}

func TestFilterOfRequests(t *testing.T) {
	const get = "GET /a.txt HTTP/1.1"
	const post = "POST /a.txt HTTP/1.1\n"
	const evil = `<denyStrings><add string="evil" /></denyStrings>`
	const scanAgent = `<scanHeaders><add requestHeader="User-Agent" /></scanHeaders>`
	const onlyPages = `<appliesTo><add fileExtension=".htm" /></appliesTo>`
	filterHost(t).filter(t, []filterCase{
		{"a verb", `><verbs><add verb="GET" allowed="false" /></verbs>`, get, 404, 6},
		{"a verb of another case", `><verbs><add verb="get" allowed="false" /></verbs>`, get, 200, 0},
		{"an unlisted verb", `><verbs allowUnlisted="false"><add verb="GET" allowed="true" /></verbs>`, "HEAD /a.txt HTTP/1.1", 404, 6},
		{"a listed verb", `><verbs allowUnlisted="false"><add verb="GET" allowed="true" /></verbs>`, get, 200, 0},
		{"the longest field", `><requestLimits><headerLimits><add header="X-Long" sizeLimit="3" /></headerLimits></requestLimits>`, get + "\nX-Long: abc", 200, 0},
		{"a longer field", `><requestLimits><headerLimits><add header="x-long" sizeLimit="3" /></headerLimits></requestLimits>`, get + "\nX-Long: abcd", 404, 10},
		{"a field in parts", `><requestLimits><headerLimits><add header="X-Long" sizeLimit="3" /></headerLimits></requestLimits>`, get + "\nX-Long: ab\nX-Long: cd", 404, 10},
		{"the host field", `><requestLimits><headerLimits><add header="Host" sizeLimit="8" /></headerLimits></requestLimits>`, get, 404, 10},
		{"the largest body", `><requestLimits maxAllowedContentLength="4" />`, post + "Content-Length: 4\n\nabcd", 405, 0},
		{"a larger body", `><requestLimits maxAllowedContentLength="4" />`, post + "Content-Length: 5\n\nabcde", 413, 1},
		{"a rule for the URL", rule(`scanUrl="true"`, `<denyStrings><add string="A.TXT" /></denyStrings>`), get, 404, 19},
		{"a rule for an escaped URL", rule(`scanUrl="true"`, `<denyStrings><add string="a.txt" /></denyStrings>`), "GET /%61.txt HTTP/1.1", 404, 19},
		{"a rule that does not look there", rule(``, `<denyStrings><add string="a.txt" /></denyStrings>`), get, 200, 0},
		{"a rule for the query", rule(`scanQueryString="true"`, evil), "GET /a.txt?x=%65vil HTTP/1.1", 404, 19},
		{"a bare percent sign", rule(`scanQueryString="true"`, evil), "GET /a.txt?x=100% HTTP/1.1", 404, 19},
		{"a bare percent sign, allowed", rule(`scanQueryString="true" denyUnescapedPercent="false"`, evil), "GET /a.txt?x=100% HTTP/1.1", 200, 0},
		{"a rule for a field", rule(``, scanAgent+evil), get + "\nUser-Agent: EvilBot/1", 404, 19},
		{"a rule for another field", rule(``, scanAgent+evil), get + "\nReferer: evil", 200, 0},
		{"a rule for the whole header", rule(`scanAllRaw="true"`, evil), get + "\nX-Any: evil", 404, 19},
		{"a rule for other files", rule(``, scanAgent+onlyPages+evil), get + "\nUser-Agent: evil", 200, 0},
		{"a rule for these files", rule(``, scanAgent+onlyPages+evil), "GET /b.htm HTTP/1.1\nUser-Agent: evil", 404, 19},
	})
}

func TestFilterOfChunkedBodies(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "http-errors", "request-filtering"), app(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return // as an application does whose client went away
		}
		fmt.Fprintf(w, "%d bytes", len(b))
	}))
	h.webConfig(`<security><requestFiltering><requestLimits maxAllowedContentLength="4" /></requestFiltering></security>`)
	const head = "POST /app/x HTTP/1.1\nTransfer-Encoding: chunked"
	if a := h.ask(head, "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"); a.status != 200 || a.body != "4 bytes" {
		t.Errorf("a body that just fits: %d %s", a.status, a.body)
	}
	if a := h.ask(head, "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"); a.named() != "413.1" || !a.closes {
		t.Errorf("one byte more: %s", a.named())
	}
}

// TestFilterOfAPath: the limits are those of the URL, as a site has them that takes uploads in one place.
func TestFilterOfAPath(t *testing.T) {
	h := filterHost(t)
	h.site("web.config", `<configuration>
		<system.webServer><security><requestFiltering><requestLimits maxAllowedContentLength="4" /></requestFiltering></security></system.webServer>
		<location path="upload"><system.webServer><security><requestFiltering><requestLimits maxAllowedContentLength="8" /></requestFiltering></security></system.webServer></location>
	</configuration>`)
	for path, want := range map[string]string{"/a.txt": "413.1", "/upload/a.txt": "404.0", "/UPLOAD": "404.0", "/uploads": "413.1"} {
		if a := h.ask("POST "+path+" HTTP/1.1\nContent-Length: 8", "abcdefgh"); a.named() != want {
			t.Errorf("%s: %s, want %s", path, a.named(), want)
		}
	}
}
