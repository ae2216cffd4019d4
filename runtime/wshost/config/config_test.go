package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testSections are the sections that tests use beside the core.
func testSections() []Section {
	return []Section{
		{Path: "system.webServer/webSocket", OverrideModeDefault: Deny, Element: Element{Name: "webSocket", Attributes: []Attribute{
			{Name: "enabled", Type: Bool, Default: "true"},
			{Name: "receiveBufferLimit", Type: Uint, Default: "4194304", Check: IntegerRange(4096, 2147483647)},
			{Name: "pingInterval", Type: TimeSpan, Default: "00:00:00", Check: TimeSpanRange(0, 86400, 1)},
		}}},
		{Path: "system.webServer/defaultDocument", Element: Element{
			Name: "defaultDocument", Attributes: []Attribute{{Name: "enabled", Type: Bool, Default: "true"}},
			Elements: []Element{{Name: "files", Collection: &Collection{Prepend: true, Remove: "remove", Clear: "clear",
				Add: Element{Name: "add", Attributes: []Attribute{{Name: "value", Type: String, Key: true}}}}}},
		}},
		{Path: "system.webServer/staticContent", LockAttributes: []string{"isDocFooterFileName"}, Element: Element{
			Name: "staticContent",
			Attributes: []Attribute{
				{Name: "defaultDocFooter", Type: String, CaseSensitive: true},
				{Name: "isDocFooterFileName", Type: Bool},
			},
			Elements: []Element{{Name: "clientCache", Attributes: []Attribute{
				{Name: "cacheControlMode", Type: Enum, Default: "NoControl", Values: []Value{{"NoControl", 0}, {"DisableCache", 1}, {"UseMaxAge", 2}}},
				{Name: "cacheControlMaxAge", Type: TimeSpan, Default: "1.00:00:00"},
			}}},
			Collection: &Collection{Remove: "remove", Clear: "clear", Add: Element{Name: "mimeMap", Attributes: []Attribute{
				{Name: "fileExtension", Type: String, Required: true, Key: true},
				{Name: "mimeType", Type: String, Required: true, Check: NonEmpty()},
			}}},
		}},
		{Path: "system.webServer/httpErrors", Element: Element{
			Name: "httpErrors", Attributes: []Attribute{{Name: "defaultPath", Type: String, Expanded: true}},
			Collection: &Collection{Remove: "remove", Clear: "clear", Add: Element{Name: "error", Attributes: []Attribute{
				{Name: "statusCode", Type: Uint, Required: true, Key: true, Check: IntegerRange(400, 999)},
				{Name: "subStatusCode", Type: Int, Default: "-1", Key: true, Check: IntegerRange(-1, 999)},
				{Name: "path", Type: String, Expanded: true, Required: true, Check: NonEmpty()},
			}}},
		}},
		{Path: "system.webServer/security/access", OverrideModeDefault: Deny, Element: Element{Name: "access", Attributes: []Attribute{
			{Name: "sslFlags", Type: Flags, Default: "None", Values: []Value{{"None", 0}, {"Ssl", 8}, {"SslNegotiateCert", 32}, {"SslRequireCert", 64}}},
			{Name: "apiKey", Type: String, Secret: true, Check: func(s string) error {
				if s == "bad-secret" {
					return errors.New("must be another")
				}
				return nil
			}},
		}}},
		{Path: "system.webServer/open", Element: Element{Name: "open", AllowUnrecognizedAttributes: true, Attributes: []Attribute{{Name: "known", Type: Int64}}}},
	}
}

func testSchema(t testing.TB) *Schema {
	t.Helper()
	s, err := NewSchema(append(CoreSections(), testSections()...), []Known{
		{Path: "system.web", Ignored: true},
		{Path: "appSettings", Ignored: true},
		{Path: "connectionStrings", Ignored: true},
		{Path: "system.webServer/rewrite", Feature: "url-rewrite", Title: "URL Rewrite"},
		{Path: "system.webServer/asp", Reason: "ASP needs Windows"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A world is a server's files in a temporary folder. Paths of files: "apphost", "features/x.config", "root/..." for the
// site "Site" with the application "/app" in app/ and the virtual directory "/virt" in virt/.
type world struct {
	t    testing.TB
	home string
	env  map[string]string
}

func newWorld(t testing.TB, files map[string]string) *world {
	w := &world{t: t, home: t.TempDir(), env: map[string]string{}}
	for _, dir := range []string{"root", "app", "virt", "nosub"} {
		if err := os.MkdirAll(filepath.Join(w.home, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.write("apphost", "")
	for name, body := range files {
		w.write(name, body)
	}
	return w
}

const sitesXML = `<system.applicationHost><sites><site name="Site" id="1">
<application path="/"><virtualDirectory path="/" physicalPath="root"/><virtualDirectory path="/virt" physicalPath="virt"/>
<virtualDirectory path="/nosub" physicalPath="nosub" allowSubDirConfig="false"/></application>
<application path="/app"><virtualDirectory path="/" physicalPath="app"/></application>
<bindings><binding protocol="http" bindingInformation="*:0:"/></bindings></site></sites></system.applicationHost>`

// write writes a file; the body stands inside <configuration>, unless it begins with "raw:". The sites are added to
// "apphost" unless it has some.
func (w *world) write(name, body string) {
	w.t.Helper()
	path := filepath.Join(w.home, name)
	raw, isRaw := strings.CutPrefix(body, "raw:")
	if name == "apphost" && !isRaw && !strings.Contains(body, "<sites>") {
		raw += sitesXML
	}
	if !isRaw {
		raw = "<configuration>" + raw + "</configuration>"
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(raw), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) open() *Tree {
	w.t.Helper()
	tree, err := w.tryOpen()
	if err != nil {
		w.t.Fatal(err)
	}
	return tree
}

func (w *world) tryOpen() (*Tree, error) {
	return Open(Options{AppHost: filepath.Join(w.home, "apphost"), DropInDir: filepath.Join(w.home, "features"), BaseDir: w.home,
		Schema: testSchema(w.t), Getenv: func(k string) string { return w.env[k] }})
}

// ws wraps the inside of <system.webServer>.
func ws(inner string) string { return "<system.webServer>" + inner + "</system.webServer>" }

func at(path, attrs, inner string) string {
	return `<location path="` + path + `" ` + attrs + `>` + ws(inner) + `</location>`
}

type docFiles struct {
	Enabled bool `config:"enabled"`
	Files   struct {
		Items []struct {
			Value string `config:"value"`
		} `config:",collection"`
	} `config:"files"`
}

// docs returns the default documents of a URL, joined by spaces.
func docs(t testing.TB, e *Effective) string {
	t.Helper()
	d, err := Decode[docFiles](e, "system.webServer/defaultDocument")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, item := range d.Files.Items {
		names = append(names, item.Value)
	}
	return strings.Join(names, " ")
}

func add(values ...string) string {
	s := ""
	for _, v := range values {
		s += `<add value="` + v + `"/>`
	}
	return "<defaultDocument><files>" + s + "</files></defaultDocument>"
}

func asError(t testing.TB, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("not a *Error: %v", err)
	}
	return e
}
