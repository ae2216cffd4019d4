package features_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
)

// show writes a selection as text: what is new with +, what stays with =, what goes with -, what was skipped with !.
func show(s features.Selection) string {
	var b strings.Builder
	for _, p := range s.Picks {
		sign := "="
		if p.New {
			sign = "+"
		}
		fmt.Fprintf(&b, "%s %s (%s) %s\n", sign, p.ID, p.Cause, p.Why)
	}
	for _, d := range s.Drops {
		fmt.Fprintf(&b, "- %s (%s) %s\n", d.ID, d.Cause, d.Why)
	}
	for _, k := range s.Skipped {
		fmt.Fprintf(&b, "! %s %s\n", k.ID, k.Reason)
	}
	return b.String()
}

// after is what a selection leaves installed.
func after(s features.Selection) []features.Installed {
	var out []features.Installed
	for _, p := range s.Picks {
		out = append(out, features.Installed{ID: p.ID, Cause: p.Cause, By: p.By})
	}
	return out
}

func resolve(t *testing.T, c *features.Catalog, w features.Wish, was []features.Installed) features.Selection {
	t.Helper()
	s, err := c.Resolve(w, was, "8.0")
	if err != nil {
		t.Fatalf("%+v: %v", w, err)
	}
	return s
}

func wish(install ...features.ID) features.Wish   { return features.Wish{Install: install} }
func removal(remove ...features.ID) features.Wish { return features.Wish{Remove: remove} }

const bareRole = `+ web-server (requested) requested
+ web-server-core (default) default service of Web Server (IIS)
+ common-http (default) default service of Web Server (IIS)
+ default-document (default) default service of Web Server (IIS)
+ directory-browsing (default) default service of Web Server (IIS)
+ http-errors (default) default service of Web Server (IIS)
+ static-content (default) default service of Web Server (IIS)
+ health-and-diagnostics (default) default service of Web Server (IIS)
+ http-logging (default) default service of Web Server (IIS)
+ performance (default) default service of Web Server (IIS)
+ static-compression (default) default service of Web Server (IIS)
+ security (default) default service of Web Server (IIS)
+ request-filtering (default) default service of Web Server (IIS)
`

func TestInstallTheRole(t *testing.T) {
	c := iis(t)
	if got := show(resolve(t, c, wish("web-server"), nil)); got != bareRole {
		t.Errorf("got\n%swant\n%s", got, bareRole)
	}
}

func TestInstallPullsTheRoleIn(t *testing.T) {
	c := iis(t)
	s := resolve(t, c, wish("websocket"), nil)
	want := `+ web-server (required) required by WebSocket Protocol
+ web-server-core (default) default service of Web Server (IIS)
+ common-http (default) default service of Web Server (IIS)
+ default-document (default) default service of Web Server (IIS)
+ directory-browsing (default) default service of Web Server (IIS)
+ http-errors (default) default service of Web Server (IIS)
+ static-content (default) default service of Web Server (IIS)
+ health-and-diagnostics (default) default service of Web Server (IIS)
+ http-logging (default) default service of Web Server (IIS)
+ performance (default) default service of Web Server (IIS)
+ static-compression (default) default service of Web Server (IIS)
+ security (default) default service of Web Server (IIS)
+ request-filtering (default) default service of Web Server (IIS)
+ application-development (required) required by WebSocket Protocol
+ websocket (requested) requested
`
	if got := show(s); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	by := map[features.ID][]features.ID{}
	for _, p := range s.Picks {
		by[p.ID] = p.By
	}
	if got := by["web-server"]; !slices.Equal(got, []features.ID{"web-server-core"}) {
		t.Errorf("web-server is required by %v", got)
	}
	if got := by["application-development"]; !slices.Equal(got, []features.ID{"websocket"}) {
		t.Errorf("application-development is required by %v", got)
	}
	if got := by["common-http"]; !slices.Equal(got, []features.ID{"web-server"}) {
		t.Errorf("common-http came with %v", got)
	}
	if got := by["websocket"]; got != nil {
		t.Errorf("websocket was asked for and is by %v", got)
	}
}

func TestInstallOnTopOfTheRole(t *testing.T) {
	c := iis(t)
	role := after(resolve(t, c, removalOf(wish("web-server"), "http-errors"), nil))
	s := resolve(t, c, wish("websocket", "default-document"), role)
	got := show(s)
	for _, want := range []string{
		"+ application-development (required) required by WebSocket Protocol\n",
		"+ websocket (requested) requested\n",
		"= default-document (requested) requested\n", // it had come by default
		"= static-content (default) default service of Web Server (IIS)\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %sin\n%s", want, got)
		}
	}
	if strings.Contains(got, "http-errors") {
		t.Errorf("a default service that was declined came back:\n%s", got)
	}
}

// removalOf adds declined units to a wish.
func removalOf(w features.Wish, remove ...features.ID) features.Wish {
	w.Remove = remove
	return w
}

func TestDeclineDefaults(t *testing.T) {
	c := iis(t)
	got := show(resolve(t, c, removalOf(wish("web-server"), "common-http", "http-logging"), nil))
	for _, gone := range []string{"common-http", "static-content", "http-logging", "directory-browsing"} {
		if strings.Contains(got, gone) {
			t.Errorf("%s came although it was declined:\n%s", gone, got)
		}
	}
	if !strings.Contains(got, "+ request-filtering") || !strings.Contains(got, "+ health-and-diagnostics") {
		t.Errorf("too much was left out:\n%s", got)
	}
}

func TestAskedGroupBringsItsDefaults(t *testing.T) {
	c := iis(t)
	start := after(resolve(t, c, removalOf(wish("web-server"), "common-http"), nil))
	got := show(resolve(t, c, wish("common-http"), start))
	for _, want := range []string{"+ common-http (requested)", "+ static-content (default) default service of Common HTTP Features\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
	// Pulled in by one of its services, the group brings nothing else.
	got = show(resolve(t, c, wish("static-content"), start))
	if !strings.Contains(got, "+ common-http (required)") || strings.Contains(got, "default-document") {
		t.Errorf("got\n%s", got)
	}
}

func TestIncludeAllSubfeatures(t *testing.T) {
	c := iis(t)
	w := wish("application-development", "security")
	w.IncludeAllSubfeatures = true
	got := show(resolve(t, c, w, nil))
	for _, want := range []string{
		"+ websocket (default) subfeature of Application Development\n",
		"! asp ", "! windows-authentication ", "! server-side-includes ", "+ cgi ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
}

func TestManagementTools(t *testing.T) {
	units := append(folders(), features.Tree()...)
	for i := range units {
		if units[i].ID == "management-console" {
			units[i].Unavailable = nil
		}
	}
	c := catalog(t, units)
	w := wish("websocket")
	if got := show(resolve(t, c, w, nil)); strings.Contains(got, "management") {
		t.Errorf("tools came without being asked for:\n%s", got)
	}
	w.IncludeManagementTools = true
	got := show(resolve(t, c, w, nil))
	for _, want := range []string{
		"+ management-tools (default) management tool of Web Server (IIS)\n",
		"+ management-console (default) management tool of Web Server (IIS)\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "management-scripts") {
		t.Errorf("a tool that is not preselected came along:\n%s", got)
	}
	// Here, where no tool is available, the person is told.
	got = show(resolve(t, iis(t), w, nil))
	if !strings.Contains(got, "! management-console IIS Manager is a snap-in") {
		t.Errorf("got\n%s", got)
	}
}

func TestDefaultsOfAnAskedGroupLeaveTheRecordAlone(t *testing.T) {
	units := small(t).Units()
	for i := range units {
		if units[i].ID == "b" {
			units[i].Tool = true // a tool is nobody's default service
		}
	}
	if got := show(resolve(t, catalog(t, units), wish("role"), nil)); strings.Contains(got, " b ") {
		t.Errorf("got\n%s", got)
	}
	// b is there because c needs it; asking for its group does not make it a default service.
	c := small(t)
	was := []features.Installed{{ID: "role", Cause: features.Requested}, {ID: "a", Cause: features.ByDefault, By: []features.ID{"role"}},
		{ID: "b", Cause: features.Required, By: []features.ID{"c"}}}
	for _, p := range resolve(t, c, wish("group"), was).Picks {
		if p.ID == "b" && p.Cause != features.Required {
			t.Errorf("b is recorded as %+v", p)
		}
	}
}

func refused(t *testing.T, c *features.Catalog, w features.Wish, was []features.Installed, level features.Level) []features.Problem {
	t.Helper()
	_, err := c.Resolve(w, was, level)
	var r *features.RefusedError
	if !errors.As(err, &r) {
		t.Fatalf("%+v: %v, want a refusal", w, err)
	}
	return r.Problems
}

func TestLevelRefusals(t *testing.T) {
	c := iis(t)
	got := refused(t, c, wish("websocket"), nil, "7.5")
	want := features.Problem{ID: "websocket", Code: "level",
		Summary: "WebSocket Protocol came with IIS 8.0; this server stands for IIS 7.5",
		Hint:    "raise the level of the server to 8.0, or leave websocket out"}
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %+v", got)
	}
	for _, l := range []features.Level{"8.0", "8.5", "10.0", ""} {
		if _, err := c.Resolve(wish("websocket"), nil, l); err != nil {
			t.Errorf("level %q: %v", l, err)
		}
	}
	if got := refused(t, c, wish("static-content"), nil, "9.0"); len(got) != 1 || got[0].Code != "level" {
		t.Errorf("got %+v", got)
	}
	// A group whose only service came later holds nothing yet.
	c = catalog(t, slices.DeleteFunc(append(folders(), features.Tree()...), func(u features.Unit) bool { return u.ID == "cgi" }))
	if got := refused(t, c, wish("application-development"), nil, "7.5"); len(got) != 1 || got[0].Code == "required" {
		t.Errorf("got %+v", got)
	}
	// A level below what is installed: the unit has to go first.
	was := after(resolve(t, c, wish("websocket"), nil))
	got = refused(t, c, features.Wish{}, was, "7.5")
	if len(got) != 1 || got[0].ID != "websocket" || got[0].Hint != "remove it first: rolemgr remove websocket" {
		t.Errorf("got %+v", got)
	}
	if _, err := c.Resolve(removal("websocket"), was, "7.5"); err != nil {
		t.Errorf("removing it together with the level: %v", err)
	}
	units := []features.Unit{{ID: "old", Kind: features.Feature, Title: "Old", Since: "7.0", Until: "8.0"}}
	if _, err := catalog(t, units).Resolve(wish("old"), nil, "8.0"); err != nil {
		t.Error(err)
	}
	got = refused(t, catalog(t, units), wish("old"), nil, "8.5")
	if got[0].Summary != "Old was last part of IIS 8.0; this server stands for IIS 8.5" {
		t.Errorf("got %+v", got)
	}
}

func TestUnavailableRefusals(t *testing.T) {
	c := iis(t)
	got := refused(t, c, wish("asp-net-45", "server-side-includes", "hostable-web-core", "websocket"), nil, "8.5")
	var codes []string
	for _, p := range got {
		codes = append(codes, string(p.ID)+" "+p.Code)
		if p.Hint == "" {
			t.Errorf("%s gives no next step", p.ID)
		}
	}
	if want := []string{"asp-net-45 unavailable", "server-side-includes not-built", "hostable-web-core unavailable"}; !slices.Equal(codes, want) {
		t.Errorf("got %v, want %v", codes, want)
	}
	if got[0].Summary != `"ASP.NET 4.5" cannot be installed here: ASP.NET 4.5 runs only on the .NET Framework, which exists only on Windows` {
		t.Errorf("summary %q", got[0].Summary)
	}
	if msg := (&features.RefusedError{Problems: got}).Error(); !strings.HasSuffix(msg, "(and 2 more)") {
		t.Errorf("message %q", msg)
	}
	got = refused(t, c, wish("nonsense", "tracing"), nil, "8.0")
	if len(got) != 2 || got[0].Code != "unknown" || got[1].Code != "not-built" {
		t.Errorf("got %+v", got)
	}
}
