package requestfiltering

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// effective returns the configuration of a server with one requestFiltering section.
func effective(t *testing.T, requestFiltering string) *config.Effective {
	t.Helper()
	schema, err := config.NewSchema(append(config.CoreSections(), sections()...), nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "applicationHost.config")
	text := "<configuration><system.webServer><security>" + requestFiltering + "</security></system.webServer></configuration>"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	tree, err := config.Open(config.Options{AppHost: file, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	e, err := tree.Server()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestConnectIsNotLimited: the frames of a WebSocket over HTTP/2 come as the body of a CONNECT without a length.
func TestConnectIsNotLimited(t *testing.T) {
	c := effective(t, `<requestFiltering><requestLimits maxAllowedContentLength="4" /></requestFiltering>`)
	for method, want := range map[string]int{"CONNECT": 10, "POST": 4} {
		r := httptest.NewRequest(method, "http://a/echo", io.NopCloser(strings.NewReader("0123456789")))
		r.ContentLength, r.ProtoMajor = -1, 2
		q := &module.Request{Config: c, RenderError: func(http.ResponseWriter, *http.Request, *module.HTTPError) {}}
		n := -1
		filterModule{}.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			n = len(b)
		})).ServeHTTP(httptest.NewRecorder(), module.WithRequest(r, q))
		if n != want {
			t.Errorf("%s: %d bytes came through, want %d", method, n, want)
		}
	}
}

// TestInternalRequestsPass: the page that tells of a refusal is not refused itself.
func TestInternalRequestsPass(t *testing.T) {
	c := effective(t, `<requestFiltering><verbs allowUnlisted="false" /></requestFiltering>`)
	for internal, want := range map[bool]int{false: 6, true: 0} {
		got := 0
		q := &module.Request{Config: c, Internal: internal, RenderError: func(_ http.ResponseWriter, _ *http.Request, e *module.HTTPError) { got = e.SubStatus }}
		filterModule{}.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).
			ServeHTTP(httptest.NewRecorder(), module.WithRequest(httptest.NewRequest("GET", "/x", nil), q))
		if got != want {
			t.Errorf("internal %v: 404.%d, want 404.%d", internal, got, want)
		}
	}
}

// TestSection holds the declaration to the attributes, types and defaults of the schema of IIS.
func TestSection(t *testing.T) {
	c, err := config.Decode[filterConfig](effective(t, "<requestFiltering />"), section)
	if err != nil {
		t.Fatal(err)
	}
	l := c.Limits
	if c.AllowDoubleEscaping || !c.AllowHighBit || !c.UnescapeQuery || c.RemoveServer || !c.Extensions.AllowUnlisted || !c.Verbs.AllowUnlisted ||
		l.MaxContentLength != 30000000 || l.MaxURL != 4096 || l.MaxQuery != 2048 {
		t.Errorf("defaults: %+v", c)
	}
	effective(t, `<requestFiltering allowDoubleEscaping="True" allowHighBitCharacters="FALSE" unescapeQueryString="false" removeServerHeader="true">
		<fileExtensions allowUnlisted="false" applyToWebDAV="false"><clear /><add fileExtension=".a" allowed="true" /><remove fileExtension=".b" /></fileExtensions>
		<requestLimits maxAllowedContentLength="4294967295" maxUrl="1" maxQueryString="0"><headerLimits><add header="A" sizeLimit="1" /></headerLimits></requestLimits>
		<verbs allowUnlisted="false" applyToWebDAV="false"><add verb="GET" allowed="true" /><add verb="get" allowed="false" /></verbs>
		<hiddenSegments applyToWebDAV="false"><add segment="bin" /></hiddenSegments>
		<alwaysAllowedUrls><add url="/a" /></alwaysAllowedUrls><alwaysAllowedQueryStrings><add queryString="a" /></alwaysAllowedQueryStrings>
		<denyUrlSequences><add sequence=".." /></denyUrlSequences><denyQueryStringSequences><add sequence="a" /></denyQueryStringSequences>
		<filteringRules><filteringRule name="r" scanUrl="true" scanQueryString="true" scanAllRaw="true" denyUnescapedPercent="false">
			<scanHeaders><add requestHeader="A" /></scanHeaders><appliesTo><add fileExtension=".a" /></appliesTo><denyStrings><add string="a" /></denyStrings>
		</filteringRule></filteringRules></requestFiltering>`)
}
