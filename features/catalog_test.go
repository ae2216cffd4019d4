package features_test

import (
	"bufio"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// stand-ins for the units with folders of their own, which a test of this package cannot import.
func folders() []features.Unit {
	unit := func(id, parent features.ID, windows, dism, title string, since features.Level, byDefault bool) features.Unit {
		return features.Unit{
			ID: id, Parent: parent, Kind: features.RoleService, WindowsName: windows, DISMName: dism, Title: title,
			Since: since, Default: byDefault,
			Assets: fstest.MapFS{"config/features.d/" + string(id) + ".config": {Data: []byte("<configuration/>\n")}},
		}
	}
	return []features.Unit{
		unit("web-server-core", "web-server", "Web-WebServer", "IIS-WebServer", "Web Server", "7.0", true),
		unit("default-document", "common-http", "Web-Default-Doc", "IIS-DefaultDocument", "Default Document", "7.0", true),
		unit("http-errors", "common-http", "Web-Http-Errors", "IIS-HttpErrors", "HTTP Errors", "7.0", true),
		unit("static-content", "common-http", "Web-Static-Content", "IIS-StaticContent", "Static Content", "7.0", true),
		unit("http-logging", "health-and-diagnostics", "Web-Http-Logging", "IIS-HttpLogging", "HTTP Logging", "7.0", true),
		unit("request-filtering", "security", "Web-Filtering", "IIS-RequestFiltering", "Request Filtering", "7.0", true),
		unit("websocket", "application-development", "Web-WebSockets", "IIS-WebSockets", "WebSocket Protocol", "8.0", false),
		unit("directory-browsing", "common-http", "Web-Dir-Browsing", "IIS-DirectoryBrowsing", "Directory Browsing", "7.0", true),
		unit("http-redirection", "common-http", "Web-Http-Redirect", "IIS-HttpRedirect", "HTTP Redirection", "7.0", false),
		unit("static-compression", "performance", "Web-Stat-Compression", "IIS-HttpCompressionStatic", "Static Content Compression", "7.0", true),
		unit("dynamic-compression", "performance", "Web-Dyn-Compression", "IIS-HttpCompressionDynamic", "Dynamic Content Compression", "7.0", false),
		unit("cgi", "application-development", "Web-CGI", "IIS-CGI", "CGI", "7.0", false),
		unit("websocket-endpoints", "real-time-and-apps", "", "", "WebSocket Endpoints", "", false),
		unit("fastcgi", "real-time-and-apps", "", "", "FastCGI", "", false),
	}
}

// iis returns the catalogue of the whole tree.
func iis(t testing.TB) *features.Catalog {
	t.Helper()
	return catalog(t, append(folders(), features.Tree()...))
}

func catalog(t testing.TB, units []features.Unit) *features.Catalog {
	t.Helper()
	c, err := features.NewCatalog(units)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type row struct{ name, title, parent, preselected, requires, dism string }

func treeTable(t *testing.T) []row {
	t.Helper()
	f, err := os.Open("testdata/tree.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []row
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		c := strings.Split(s.Text(), "\t")
		rows = append(rows, row{c[0], c[1], c[2], c[3], c[4], c[5]})
	}
	return rows
}

func TestTreeIsTheTreeOfIIS8(t *testing.T) {
	c := iis(t)
	windows := map[features.ID]string{}
	for _, u := range c.Units() {
		windows[u.ID] = u.WindowsName
	}
	var got []row
	for _, u := range c.Units() {
		if u.WindowsName == "" {
			continue
		}
		r := row{name: u.WindowsName, title: u.Title, parent: windows[u.Parent], dism: u.DISMName}
		if u.Default {
			r.preselected = "default"
		}
		if u.Tool {
			r.preselected += "tool"
		}
		var req []string
		for _, q := range u.Requires {
			req = append(req, windows[q.ID])
		}
		r.requires = strings.Join(req, ",")
		got = append(got, r)
	}
	want := treeTable(t)
	if len(want) != 54 {
		t.Fatalf("the table has %d nodes", len(want))
	}
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Fatalf("missing %+v", want[i])
		case i >= len(want):
			t.Fatalf("not in the table: %+v", got[i])
		case got[i] != want[i]:
			t.Fatalf("node %d\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

func TestTreeSaysWhyAndWhen(t *testing.T) {
	levels := map[features.Level][]features.ID{
		"7.5": {"webdav-publishing", "ftp-server", "ftp-service", "ftp-extensibility"},
		"8.0": {"centralized-ssl-certificates", "net-extensibility-45", "application-initialization", "asp-net-45",
			"websocket", "hostable-web-core"},
		"": {"real-time-and-apps", "websocket-endpoints", "http-platform", "fastcgi", "reverse-proxy", "url-rewrite"},
	}
	since := map[features.ID]features.Level{}
	for l, ids := range levels {
		for _, id := range ids {
			since[id] = l
		}
	}
	c := iis(t)
	for _, u := range c.Units() {
		want, special := since[u.ID]
		if !special {
			want = "7.0"
		}
		if u.Since != want {
			t.Errorf("%s came with %q, want %q", u.ID, u.Since, want)
		}
	}
	for _, u := range features.Tree() {
		first, _, _ := strings.Cut(u.Doc, "\n")
		if !strings.HasSuffix(first, ".") {
			t.Errorf("%s: the first line of its text is not a sentence: %q", u.ID, first)
		}
		if !u.Group && u.Unavailable == nil {
			t.Errorf("%s can be installed but does nothing", u.ID)
		}
		if u.Unavailable != nil && !u.Unavailable.NotBuilt && u.Unavailable.Instead == "" {
			t.Errorf("%s never comes here and does not say what to use instead", u.ID)
		}
		// People follow these commands: they must name what can really be installed.
		if u.Unavailable != nil {
			if _, rest, ok := strings.Cut(u.Unavailable.Instead, "rolemgr install "); ok {
				id := strings.TrimRight(strings.Fields(rest)[0], ")")
				if p := c.Blocked(features.ID(id), "10.0"); p != nil {
					t.Errorf("%s: its command leads nowhere: %s", u.ID, p.Summary)
				}
			}
		}
	}
}

func TestFindByEveryName(t *testing.T) {
	c := iis(t)
	for _, u := range c.Units() {
		for _, n := range []string{string(u.ID), u.WindowsName, u.DISMName, u.Title} {
			if n == "" {
				continue
			}
			for _, typed := range []string{n, strings.ToUpper(n), strings.ToLower(n), " " + n + "\t"} {
				if got, err := c.Find(typed); err != nil || got.ID != u.ID {
					t.Errorf("Find(%q) = %q, %v; want %q", typed, got.ID, err, u.ID)
				}
			}
		}
	}
	for typed, want := range map[string]features.ID{
		"web socket": "websocket", "web_socket": "websocket", "WebSocketProtocol": "websocket",
		"common http": "common-http", "aspnet45": "asp-net-45",
		"Web Server": "web-server-core", "web-server": "web-server", // one letter apart, two units
	} {
		if got, err := c.Find(typed); err != nil || got.ID != want {
			t.Errorf("Find(%q) = %q, %v; want %q", typed, got.ID, err, want)
		}
	}
}

func TestSuggestions(t *testing.T) {
	c := iis(t)
	for _, tt := range []struct {
		typed string
		first features.ID
	}{
		{"websockt", "websocket"}, {"WebSockets", "websocket"}, {"wbesocket", "websocket"}, {"websocket-protocl", "websocket"},
		{"IIS-WebSocket", "websocket"}, {"sockets", "websocket"},
		{"static", "static-content"}, {"staticcontnet", "static-content"},
		{"Web-Windows-Authentication", "windows-authentication"},
		{"asp.net", "asp-net-35"}, {"metabase", "iis6-metabase"},
		{"compression", "static-compression"}, {"authentication", "basic-authentication"},
		{"web_server", "web-server"}, // means two units, and says so
	} {
		_, err := c.Find(tt.typed)
		var missing *features.NotFoundError
		if !errors.As(err, &missing) {
			t.Errorf("Find(%q): %v", tt.typed, err)
			continue
		}
		if len(missing.Suggestions) == 0 || len(missing.Suggestions) > 3 || missing.Suggestions[0].ID != tt.first {
			t.Errorf("Find(%q) suggests %v, want %q first", tt.typed, ids(missing.Suggestions), tt.first)
		}
		if msg := err.Error(); !strings.Contains(msg, `"`+tt.typed+`"`) || !strings.Contains(msg, "did you mean") {
			t.Errorf("Find(%q): message %q", tt.typed, msg)
		}
	}
	// Of two that are equally near, the one that can be installed is named first.
	near := catalog(t, []features.Unit{
		{ID: "relay-a", Kind: features.Feature, Title: "A", Unavailable: &features.Unavailable{Reason: "so it is"}},
		{ID: "relay-b", Kind: features.Feature, Title: "B"},
	})
	var missing *features.NotFoundError
	if _, err := near.Find("relay"); !errors.As(err, &missing) || !slices.Equal(ids(missing.Suggestions), []features.ID{"relay-b", "relay-a"}) {
		t.Errorf("got %v", err)
	}
	for _, typed := range []string{"", "z", "zz", "kubernetes-ingress"} {
		_, err := c.Find(typed)
		var missing *features.NotFoundError
		if !errors.As(err, &missing) || len(missing.Suggestions) != 0 {
			t.Errorf("Find(%q) = %v, want no suggestion", typed, err)
		}
	}
}

func ids(units []features.Unit) []features.ID {
	var out []features.ID
	for _, u := range units {
		out = append(out, u.ID)
	}
	return out
}

func TestMatch(t *testing.T) {
	c := iis(t)
	for _, tt := range []struct {
		pattern string
		want    []features.ID
	}{
		{"web-asp*", []features.ID{"asp", "asp-net-35", "asp-net-45"}},
		{"*SOCKET*", []features.ID{"websocket", "websocket-endpoints"}},
		{"cg?", []features.ID{"cgi"}},
		{"iis6-???", []features.ID{"iis6-wmi"}},
		{"Web-Server", []features.ID{"web-server"}},
		{"no*such", nil},
		{"?", nil},
	} {
		got, err := c.Match(tt.pattern)
		if err != nil || !slices.Equal(ids(got), tt.want) {
			t.Errorf("Match(%q) = %v, %v; want %v", tt.pattern, ids(got), err, tt.want)
		}
	}
	all, err := c.Match("**")
	if err != nil || len(all) != len(c.Units()) {
		t.Errorf("Match(**) = %d units, %v", len(all), err)
	}
	var missing *features.NotFoundError
	if _, err := c.Match("nonsense-name"); !errors.As(err, &missing) {
		t.Errorf("a name without wildcards that nothing has: %v", err)
	}
}

func TestCatalogueFaultsAllAtOnce(t *testing.T) {
	fine := func(id, parent features.ID) features.Unit {
		return features.Unit{ID: id, Parent: parent, Kind: features.Feature, Title: "Title of " + string(id)}
	}
	with := func(u features.Unit, change func(*features.Unit)) features.Unit { change(&u); return u }
	file := fstest.MapFS{"config/features.d/a.config": {Data: []byte("x")}}
	units := []features.Unit{
		fine("a", ""), fine("a", ""),
		fine("Not OK", ""),
		with(fine("b", "nowhere"), func(u *features.Unit) { u.Kind = "role" }),
		with(fine("c", ""), func(u *features.Unit) { u.Requires = []features.Require{{ID: "d"}}; u.DISMName = "A" }),
		with(fine("d", ""), func(u *features.Unit) { u.Requires = []features.Require{{ID: "c", Why: "w"}, {ID: "ghost", Why: "w"}} }),
		with(fine("e", ""), func(u *features.Unit) { u.Since, u.Until = "8.5", "8.0"; u.Modules = []module.Info{{Name: "M"}} }),
		with(fine("f", ""), func(u *features.Unit) { u.Since = "9.0"; u.Modules = []module.Info{{Name: "M"}} }),
		with(fine("g", ""), func(u *features.Unit) { u.Assets = file; u.Unavailable = &features.Unavailable{} }),
		with(fine("h", ""), func(u *features.Unit) { u.Seeds = file; u.Title = " " }),
		with(fine("i", ""), func(u *features.Unit) { u.Assets = fstest.MapFS{"assets/config/x": {}} }),
		with(fine("j", ""), func(u *features.Unit) { u.Conflicts = []features.Conflict{{ID: "phantom"}} }),
		with(fine("k", "a"), func(u *features.Unit) { u.Kind = features.Role }),
	}
	_, err := features.NewCatalog(units)
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, want := range []string{
		`"a" is declared twice`, `"Not OK" has an id`, `"b" has kind "role"`, `"b" has an unknown parent: "nowhere"`,
		`"c" requires "d" without a reason`, `"c" is called "a"`, `"d" needs "c", which needs it in turn`,
		`"d" requires an unknown unit: "ghost"`, `"e" ends with level 8.0`, `"f" names level "9.0"`,
		`"f" has a module named "M"`, `"g" is not available and does not say why`, `"h" has no title`,
		`"h" brings the file "config/features.d/a.config"`, `"i" has assets that cannot be used`,
		`"j" conflicts with an unknown unit: "phantom"`, `"j" conflicts with "phantom" without a reason`,
		`"k" is a Role with parent "a"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing fault %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestCatalogueAnswers(t *testing.T) {
	c := iis(t)
	if got := c.Children(""); !slices.Equal(got, []features.ID{"web-server"}) {
		t.Errorf("roots: %v", got)
	}
	if got := c.Depth("websocket"); got != 3 {
		t.Errorf("depth of websocket: %d", got)
	}
	if got := c.Ancestors("websocket"); !slices.Equal(got, []features.ID{"application-development", "web-server-core", "web-server"}) {
		t.Errorf("ancestors of websocket: %v", got)
	}
	if _, ok := c.Unit("nothing"); ok {
		t.Error("a unit that is not there was found")
	}
	if got := c.Assets("websocket"); len(got) != 1 || got[0].Path != "config/features.d/websocket.config" || len(got[0].SHA256) != 64 {
		t.Errorf("assets: %+v", got)
	}
	units := append(folders(), features.Tree()...)
	units[6].Modules = []module.Info{{Name: "WebSocketModule"}}
	mods := catalog(t, units).Modules()
	if len(mods) != 1 || mods[0].Feature != "websocket" || mods[0].Title != "WebSocket Protocol" {
		t.Errorf("modules: %+v", mods)
	}
}

func TestHashFollowsContent(t *testing.T) {
	base := iis(t).Hash()
	units := append(folders(), features.Tree()...)
	slices.Reverse(units)
	if got := catalog(t, units).Hash(); got != base {
		t.Error("the hash depends on the order in which units are listed")
	}
	changes := map[string]func(u *features.Unit){
		"asset": func(u *features.Unit) {
			u.Assets = fstest.MapFS{"config/features.d/websocket.config": {Data: []byte("<configuration></configuration>\n")}}
		},
		"seed":     func(u *features.Unit) { u.Seeds = fstest.MapFS{"sites/default/a": {Data: []byte("a")}} },
		"title":    func(u *features.Unit) { u.Title = "WebSockets" },
		"default":  func(u *features.Unit) { u.Default = true },
		"requires": func(u *features.Unit) { u.Requires = []features.Require{{ID: "static-content", Why: "because"}} },
		"module":   func(u *features.Unit) { u.Modules = []module.Info{{Name: "WebSocketModule"}} },
		"probe":    func(u *features.Unit) { u.Probe.Kind = features.ProbeModule },
	}
	for name, change := range changes {
		units := append(folders(), features.Tree()...)
		change(&units[6])
		if got := catalog(t, units).Hash(); got == base {
			t.Errorf("a change of %s does not change the hash", name)
		}
	}
}

func TestLevels(t *testing.T) {
	all := features.Levels()
	for i, a := range all {
		if !a.Valid() {
			t.Errorf("%q is not valid", a)
		}
		for j, b := range all {
			if got := a.Compare(b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("Compare(%q, %q) = %d", a, b, got)
			}
		}
	}
	for _, bad := range []features.Level{"", "8", "9.0", "IIS 8.0"} {
		if bad.Valid() {
			t.Errorf("%q is valid", bad)
		}
	}
}
