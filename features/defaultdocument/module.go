package defaultdocument

import (
	"net/http"
	"path"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules> and <handlers>.
const name = "DefaultDocumentModule"

// section is the configuration section of this module.
const section = "system.webServer/defaultDocument"

// documentConfig is system.webServer/defaultDocument, with the attributes of IIS 8.
type documentConfig struct {
	Enabled bool `config:"enabled"`
	Files   struct {
		Entries []document `config:",collection"`
	} `config:"files"`
}

type document struct {
	Value string `config:"value"`
}

// sections declares the section. Entries of a lower level come first, so that a site's own start page wins.
func sections() []config.Section {
	return []config.Section{{
		Path:                section,
		OverrideModeDefault: config.Allow,
		Element: config.Element{
			Name:       "defaultDocument",
			Attributes: []config.Attribute{{Name: "enabled", Type: config.Bool, Default: "true"}},
			Elements: []config.Element{{Name: "files", Collection: &config.Collection{
				Remove: "remove", Clear: "clear", Prepend: true,
				Add: config.Element{Name: "add", Attributes: []config.Attribute{{Name: "value", Type: config.String, Key: true}}},
			}}},
		},
	}}
}

// documentModule is DefaultDocumentModule in one generation.
type documentModule struct{}

func newModule() module.Module { return documentModule{} }

var _ module.Module = documentModule{}

// Middleware names the first existing default document in the URL of a request for a folder. A folder without one is
// left as it is: a later module lists it or answers 403.14.
func (documentModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		if !strings.HasSuffix(r.URL.Path, "/") || !q.Handles(name) {
			next.ServeHTTP(w, r)
			return
		}
		c, err := config.Decode[documentConfig](q.Config, section)
		if err != nil {
			q.Fail(w, r, module.Misfit(name, section, err))
			return
		}
		if found, ok := c.find(q.Files, r.URL.Path); ok {
			moved, refusal := q.MoveTo(r, found)
			if refusal != nil {
				q.Fail(w, r, refusal)
				return
			}
			r = moved
		}
		next.ServeHTTP(w, r)
	})
}

// find returns the URL path of the first default document that exists as a file in the folder.
func (c *documentConfig) find(files module.Files, folder string) (string, bool) {
	if !c.Enabled {
		return "", false
	}
	for _, d := range c.Files.Entries {
		file := strings.ReplaceAll(d.Value, `\`, "/")
		candidate := path.Join(folder, file)
		if file == "" || strings.HasSuffix(file, "/") {
			continue
		}
		if info, err := files.Stat(candidate); err == nil && info.Mode().IsRegular() {
			return candidate, true
		}
	}
	return "", false
}
