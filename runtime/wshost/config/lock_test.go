package config

import (
	"path/filepath"
	"strings"
	"testing"
)

// A fault is what a table test expects: "" as message when there must be none.
type fault struct {
	hr       uint32
	pos      string // "root/web.config:1:2", a prefix
	message  string
	lockedBy string // a prefix
	hint     string
}

// check compares the error of a URL.
func (w *world) check(name, url string, want fault) *Error {
	w.t.Helper()
	_, err := w.open().Effective("Site", url)
	if want.message == "" {
		if err != nil {
			w.t.Errorf("%s: %v", name, err)
		}
		return nil
	}
	if err == nil {
		w.t.Errorf("%s: no error, want %q", name, want.message)
		return nil
	}
	e := asError(w.t, err)
	rel := func(p Pos) string { return strings.TrimPrefix(p.String(), w.home+string(filepath.Separator)) }
	if e.HResult != want.hr || !strings.Contains(e.Message, want.message) || !strings.HasPrefix(rel(e.Pos), want.pos) || !strings.Contains(e.Hint, want.hint) {
		w.t.Errorf("%s: 0x%x %s: %s (%s); want 0x%x %s: %s (%s)", name, e.HResult, rel(e.Pos), e.Message, e.Hint, want.hr, want.pos, want.message, want.hint)
	}
	if want.lockedBy != "" && (e.LockedBy == nil || !strings.HasPrefix(rel(*e.LockedBy), want.lockedBy)) {
		w.t.Errorf("%s: locked by %v, want %s", name, e.LockedBy, want.lockedBy)
	}
	return e
}

func TestSectionLocks(t *testing.T) {
	const on = `<webSocket enabled="true"/>`
	const docOff = `<defaultDocument enabled="false"/>`
	const sections = `<configSections><sectionGroup name="system.webServer"><section name="webSocket" overrideModeDefault="Allow"/>` +
		`<section name="defaultDocument" overrideModeDefault="Deny"/></sectionGroup></configSections>`
	locked := func(pos, by, hint string) fault {
		return fault{HResultLocked, pos, "locked at a higher level", by, hint}
	}
	for name, c := range map[string]struct {
		files map[string]string
		url   string
		want  fault
	}{
		"stock server refuses":         {map[string]string{"root/web.config": ws(on)}, "/", locked("root/web.config:1:34", "apphost", `<location path="Site" overrideMode="Allow"><system.webServer><webSocket /></system.webServer></location>`)},
		"only below that path":         {map[string]string{"root/a/web.config": ws(on)}, "/b", fault{}},
		"unlocked for the site":        {map[string]string{"apphost": at("Site", `overrideMode="Allow"`, "<webSocket/>"), "root/web.config": ws(on)}, "/", fault{}},
		"unlocked by the older name":   {map[string]string{"apphost": at("Site", `allowOverride="true"`, "<webSocket/>"), "root/web.config": ws(on)}, "/", fault{}},
		"unlocked for every site":      {map[string]string{"apphost": at(".", `overrideMode="Allow"`, "<webSocket/>"), "root/a/web.config": ws(on)}, "/a", fault{}},
		"unlocked for another site":    {map[string]string{"apphost": at("Other", `overrideMode="Allow"`, "<webSocket/>"), "root/web.config": ws(on)}, "/", locked("root/", "apphost", "")},
		"unlocked by a declaration":    {map[string]string{"apphost": sections, "root/web.config": ws(on)}, "/", fault{}},
		"locked by a declaration":      {map[string]string{"apphost": sections, "root/web.config": ws(docOff)}, "/", locked("root/", "apphost:1:125", "apphost:1:125")},
		"locked by a location tag":     {map[string]string{"apphost": at("Site/a", `overrideMode="Deny"`, "<defaultDocument/>"), "root/a/web.config": ws(docOff)}, "/a", locked("root/a/web.config:1:34", "apphost:1:40", "apphost:1:40")},
		"locked above, used beside":    {map[string]string{"apphost": at("Site/a", `overrideMode="Deny"`, "<defaultDocument/>"), "root/b/web.config": ws(docOff)}, "/b", fault{}},
		"the file itself may":          {map[string]string{"apphost": at("Site", `overrideMode="Deny"`, "<defaultDocument/>") + at("Site/a", "", docOff)}, "/a", fault{}},
		"lock of a web.config":         {map[string]string{"root/web.config": at(".", `overrideMode="Deny"`, docOff), "root/a/web.config": ws(docOff)}, "/a", locked("root/a/", "root/web.config:1:35", "root/web.config")},
		"own lock, own deeper tag":     {map[string]string{"root/web.config": at(".", `overrideMode="Deny"`, docOff) + at("a", "", docOff)}, "/a", fault{}},
		"unlock in between is invalid": {map[string]string{"apphost": at("Site/a/b", `overrideMode="Allow"`, "<defaultDocument/>"), "root/web.config": at("a", `overrideMode="Deny"`, docOff)}, "/a/b", fault{HResultLocked, "apphost:1:42", "a file in between locks it", "root/web.config:1:35", "root/web.config"}},
		"cannot unlock from below":     {map[string]string{"root/web.config": at(".", `overrideMode="Allow"`, on)}, "/", locked("root/", "apphost", "")},
		"web.config cannot redeclare":  {map[string]string{"root/web.config": strings.ReplaceAll(sections, "Deny", "Allow") + ws(on)}, "/", fault{HResultDuplicate, "root/web.config:1:", "already declared", "", "only applicationHost.config"}},
		"server level only":            {map[string]string{"root/web.config": ws(`<globalModules><add name="x"/></globalModules>`)}, "/", fault{HResultLocked, "root/", "only at the level of the server", "", ""}},
		"server level, location":       {map[string]string{"apphost": at("Site", "", `<globalModules/>`)}, "/", fault{HResultLocked, "apphost", "only at the level of the server", "", ""}},
		"declared for .NET only":       {map[string]string{"apphost": strings.ReplaceAll(sections, `overrideModeDefault="Deny"`, `allowDefinition="MachineOnly"`), "root/web.config": ws(docOff)}, "/", fault{HResultLocked, "root/", "only at the level of the server", "", ""}},
		"application level":            {map[string]string{"apphost": at("Site", "", `<modules/>`) + at("Site/app", "", "<modules/>")}, "/app", fault{}},
		"below the application":        {map[string]string{"apphost": at("Site/a", "", `<modules/>`)}, "/a", fault{HResultLocked, "apphost", "below the root of an application", "", ""}},
		"allowLocation=false":          {map[string]string{"apphost": strings.ReplaceAll(sections, `overrideModeDefault="Deny"`, `allowLocation="false"`) + at("Site", "", docOff)}, "/", fault{HResultLocked, "apphost", "inside a location tag", "", ""}},
	} {
		newWorld(t, c.files).check(name, c.url, c.want)
	}
}

func TestElementLocks(t *testing.T) {
	static := func(attrs, inner string) string {
		return ws("<staticContent " + attrs + ">" + inner + "</staticContent>")
	}
	const mime = `<mimeMap fileExtension=".x" mimeType="a/b" %/>`
	entry := func(attrs string) string { return strings.ReplaceAll(mime, "%", attrs) }
	cache := func(attrs string) string { return "<clientCache " + attrs + "/>" }
	const foot = `defaultDocFooter="f"`
	bad := func(message string) fault {
		return fault{HResultLocked, "root/web.config:1:", message, "apphost:1:", "apphost:1:"}
	}
	free := fault{}
	for name, c := range map[string]struct {
		above, below string
		want         fault
	}{
		"attribute":                {static(`lockAttributes="defaultDocFooter" `+foot, ""), static(foot, ""), bad(`attribute "defaultDocFooter" of <staticContent> is locked`)},
		"other attribute":          {static(`lockAttributes="isDocFooterFileName"`, ""), static(foot, ""), free},
		"every attribute":          {static(`lockAttributes="*"`, ""), static(foot, ""), bad("locked")},
		"all except":               {static(`lockAllAttributesExcept="isDocFooterFileName"`, ""), static(foot, ""), bad("locked")},
		"all except this":          {static(`lockAllAttributesExcept="defaultDocFooter"`, ""), static(foot, ""), free},
		"by the schema":            {"", static(`isDocFooterFileName="false"`, ""), fault{HResultLocked, "root/web.config:1:", "isDocFooterFileName", "apphost", "applicationHost.config"}},
		"by schema, host may":      {static(`isDocFooterFileName="false"`, ""), "", free},
		"attribute of a child":     {static("", cache(`lockAttributes="cacheControlMode"`)), static("", cache(`cacheControlMode="NoControl"`)), bad("cacheControlMode")},
		"element":                  {static(`lockElements="clientCache"`, ""), static("", cache("")), bad("element <clientCache> of <staticContent>")},
		"other element":            {static(`lockElements="mimeMap"`, ""), static("", cache("")), free},
		"every element":            {static(`lockElements="*"`, ""), static("", entry("")), bad("<mimeMap>")},
		"elements except":          {static(`lockAllElementsExcept="mimeMap"`, ""), static("", cache("")), bad("<clientCache>")},
		"elements except this":     {static(`lockAllElementsExcept="mimeMap"`, ""), static("", entry("")), free},
		"add-only, add":            {static(`lockElements="remove, clear"`, ""), static("", entry("")), free},
		"add-only, remove":         {static(`lockElements="remove, clear"`, ""), static("", `<remove fileExtension=".x"/>`), bad("<remove>")},
		"add-only, clear":          {static(`lockElements="remove, clear"`, ""), static("", "<clear/>"), bad("<clear>")},
		"entry, remove":            {static("", entry(`lockItem="true"`)), static("", `<remove fileExtension=".X"/>`), bad(`entry with fileExtension=".X" is locked`)},
		"entry, clear":             {static("", entry(`lockItem="true"`)), static("", "<clear/>"), bad("which <clear> would remove")},
		"entry, others free":       {static("", entry(`lockItem="true"`)), static("", `<remove fileExtension=".y"/>`), free},
		"entry not locked":         {static("", entry(`lockItem="false"`)), static("", `<clear/>`), free},
		"whole section":            {static(`lockItem="true"`, ""), static("", ""), bad("<staticContent> is locked")},
		"whole child":              {static("", cache(`lockItem="TRUE"`)), static("", cache("")), bad("<clientCache> is locked")},
		"own file is free":         {static(`lockAttributes="*" lockElements="*" `+foot, entry("")), "", free},
		"host location is free":    {static(`lockAttributes="*"`, "") + at("Site", "", "<staticContent "+foot+"/>"), "", free},
		"locks add up":             {static(`lockAttributes="isDocFooterFileName"`, "") + at("Site", "", `<staticContent lockAttributes="defaultDocFooter"/>`), static(foot, ""), bad("locked")},
		"lock of an unknown name":  {"", static(`lockAttributes="defaultDocFoter"`, ""), fault{HResultMalformed, "root/", `did you mean "defaultDocFooter"?`, "", ""}},
		"lockItem is no bool":      {"", static(`lockItem="yes"`, ""), fault{HResultMalformed, "root/", `lockItem="yes"`, "", "true or false"}},
		"locked even when equal":   {static(`lockAttributes="defaultDocFooter" `+foot, ""), static(foot, ""), bad("locked")},
		"lock names an element":    {"", static(`lockElements="nothing"`, ""), fault{HResultMalformed, "root/", `lockElements names "nothing"`, "", ""}},
		"a lower lock adds deeper": {static("", entry("")), static(`lockElements="clear"`, ""), free},
	} {
		files := map[string]string{"apphost": c.above}
		if c.below != "" {
			files["root/web.config"] = c.below
		}
		newWorld(t, files).check(name, "/", c.want)
	}
}
