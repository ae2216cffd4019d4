package wshost

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// Sections that the host itself reads.
const (
	sectionSites         = "system.applicationHost/sites"
	sectionWebLimits     = "system.applicationHost/webLimits"
	sectionGlobalModules = "system.webServer/globalModules"
	sectionModules       = "system.webServer/modules"
)

// hresultNoModule is what IIS reports for a module that it cannot find: ERROR_MOD_NOT_FOUND.
const hresultNoModule uint32 = 0x8007007e

// globalModules is system.webServer/globalModules as the host reads it. The image is not looked at: modules are part
// of the program.
type globalModules struct {
	Add []struct {
		Name string `config:"name"`
	} `config:",collection"`
}

// readConfig reads the configuration and the modules that it loads, in pipeline order. Which sections are usable
// depends on the modules, and the modules are told by a section, so it reads twice: first with the core sections only,
// then with those of the modules. When the files change in between it begins again.
func readConfig(home string, available []module.Info, known []config.Known) (*config.Tree, *config.Effective, []module.Info, error) {
	var infos []module.Info
	for range 3 {
		tree, server, err := openTree(home, schemaSections(infos), knownSections(available, infos, known, infos == nil))
		if err != nil {
			return nil, nil, nil, err
		}
		next, err := loadedModules(server, available)
		if err != nil {
			return nil, nil, nil, err
		}
		if infos != nil && slices.EqualFunc(infos, next, func(a, b module.Info) bool { return a.Name == b.Name }) {
			return tree, server, next, nil
		}
		if infos = next; infos == nil {
			infos = []module.Info{} // nil means that nothing has been read yet
		}
	}
	return nil, nil, nil, errors.New("the configuration keeps changing while it is read: try again")
}

func openTree(home string, sections []config.Section, known []config.Known) (*config.Tree, *config.Effective, error) {
	schema, err := config.NewSchema(sections, known)
	if err != nil {
		return nil, nil, fmt.Errorf("build the schema: %w", err)
	}
	tree, err := config.Open(config.Options{
		AppHost:   filepath.Join(home, "config", "applicationHost.config"),
		DropInDir: filepath.Join(home, "config", "features.d"),
		BaseDir:   home,
		Schema:    schema,
	})
	if err != nil {
		return nil, nil, err
	}
	server, err := tree.Server()
	if err != nil {
		return nil, nil, err
	}
	return tree, server, nil
}

// loadedModules returns the modules that <globalModules> names.
func loadedModules(server *config.Effective, available []module.Info) ([]module.Info, error) {
	gm, err := config.Decode[globalModules](server, sectionGlobalModules)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", sectionGlobalModules, err)
	}
	var infos []module.Info
	for _, e := range gm.Add {
		i := slices.IndexFunc(available, func(m module.Info) bool { return m.Name == e.Name })
		if i < 0 {
			pos, _ := server.Origin(sectionGlobalModules)
			return nil, &config.Error{
				Pos: pos, HResult: hresultNoModule, Section: sectionGlobalModules,
				Message: fmt.Sprintf("this host has no module %q", e.Name),
				Hint:    "remove the entry, or check its spelling: names are case-sensitive",
			}
		}
		infos = append(infos, available[i])
	}
	return pipelineOrder(infos)
}

// schemaSections returns the sections that can be used: those of the host, those of the loaded modules, and those that
// loaded modules read while the module that owns them is not loaded.
func schemaSections(infos []module.Info) []config.Section {
	sections := config.CoreSections()
	for _, i := range infos {
		sections = append(sections, i.Sections...)
	}
	for _, i := range infos {
		for _, s := range i.Reads {
			if !slices.ContainsFunc(sections, func(have config.Section) bool { return have.Path == s.Path }) {
				sections = append(sections, s)
			}
		}
	}
	return sections
}

// knownSections returns what the schema knows beside that: the sections of modules that are not loaded, with the
// feature that would bring them; what the host's user knows; and the groups of the .NET Framework, which are there for
// applications. In the first pass no module is loaded yet, so the sections of modules are passed over.
func knownSections(available, infos []module.Info, more []config.Known, first bool) []config.Known {
	taken := map[string]bool{}
	for _, s := range schemaSections(infos) {
		taken[s.Path] = true
	}
	var out []config.Known
	add := func(k config.Known) {
		if !taken[k.Path] {
			taken[k.Path] = true
			out = append(out, k)
		}
	}
	for _, m := range available {
		for _, s := range m.Sections {
			add(config.Known{Path: s.Path, Ignored: first, Feature: m.Feature, Title: m.Title})
		}
	}
	for _, k := range more {
		add(k)
	}
	for _, p := range dotNetGroups() {
		add(config.Known{Path: p, Ignored: true, Reason: "it configures the .NET Framework"})
	}
	return out
}

// dotNetGroups are the sections and groups of the .NET Framework that web.config files carry beside system.webServer.
// They hold connection strings and keys, and are never read, printed or sent.
func dotNetGroups() []string {
	return []string{
		"appSettings", "assemblyBinding", "connectionStrings", "configProtectedData", "entityFramework", "mscorlib", "runtime",
		"satelliteassemblies", "startup", "system.codedom", "system.data", "system.data.dataset", "system.data.odbc",
		"system.data.oledb", "system.data.oracleclient", "system.data.sqlclient", "system.diagnostics",
		"system.identityModel", "system.identityModel.services", "system.net", "system.runtime.caching",
		"system.runtime.remoting", "system.runtime.serialization", "system.serviceModel", "system.serviceModel.activation",
		"system.transactions", "system.web", "system.web.extensions", "system.windows.forms", "system.workflow.runtime",
		"system.xaml.hosting", "system.xml", "uri", "windows",
	}
}
