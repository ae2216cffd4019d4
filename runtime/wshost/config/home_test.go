package config

import (
	"strings"
	"testing"
)

// TestHints looks at the next step for elements that stand where nothing knows them.
func TestHints(t *testing.T) {
	group := func(s string) string {
		return "<configuration><system.webServer>" + s + "</system.webServer></configuration>"
	}
	for name, c := range map[string]struct{ src, hint string }{
		"an element of a section":    {group(`<files />`), "write it inside <defaultDocument>"},
		"a section without group":    {`<configuration><defaultDocument /></configuration>`, "write it inside <system.webServer>"},
		"a section of nobody":        {`<configuration><log4net /></configuration>`, "a section of the application is declared in <configSections>"},
		"nothing near":               {group(`<zoo />`), "delete it, or install the feature"},
		"something near":             {group(`<defaultDocuments />`), ""},
		"an element of another":      {group(`<httpErrors><files /></httpErrors>`), "write it inside <defaultDocument>"},
		"entries under another name": {group(`<httpErrors><add /></httpErrors>`), "the entries of <httpErrors> are written <error>"},
		"a transformed group":        {`<configuration xmlns:xdt="x"><system.webServer xdt:Transform="Insert" /></configuration>`, "it belongs to a transformation"},
		"a transformed tag":          {`<configuration xmlns:xdt="x"><location path="a" xdt:Transform="Insert" /></configuration>`, "it belongs to a transformation"},
	} {
		w := newWorld(t, nil)
		w.put("root/web.config", c.src)
		_, err := w.open().Effective("Site", "/")
		fault, ok := err.(*Error)
		if !ok || !strings.HasPrefix(fault.Hint, c.hint) || c.hint == "" && fault.Hint != "" {
			t.Errorf("%s: %+v, want the hint %q", name, fault, c.hint)
		}
	}
}
