package webservercore

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// mappingModuleName is a name of our own: in IIS the mapping of requests to handlers is part of the core and not a
// module.
const mappingModuleName = "HandlerMappingModule"

// proxyModule answers what is rewritten to another server.
const proxyModule = "ApplicationRequestRouting"

// mappingModule finds the handler of each request in <handlers>.
type mappingModule struct{ loaded map[string]bool }

func newMappingModule() module.Module { return &mappingModule{} }

var (
	_ module.Module      = (*mappingModule)(nil)
	_ module.Provisioner = (*mappingModule)(nil)
)

// Provision notes the modules of this generation: a name in <modules> alone loads nothing.
func (m *mappingModule) Provision(c *module.Context) error {
	m.loaded = make(map[string]bool, len(c.Modules))
	for _, i := range c.Modules {
		m.loaded[i.Name] = true
	}
	return nil
}

// Middleware notes the handler of the request, or refuses what no handler of this server may or can answer.
func (m *mappingModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		// A default document is another resource and may be another handler's.
		q.MapHandler = func(moved *http.Request) *module.HTTPError { return m.find(q, moved) }
		if e := m.find(q, r); e != nil {
			q.Fail(w, r, e)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// find gives the request the first handler whose path, verb and kind of resource fit.
func (m *mappingModule) find(q *module.Request, r *http.Request) *module.HTTPError {
	if q.Upstream != nil { // nothing of this server
		q.Handler = &module.Handler{Name: proxyModule, Modules: []string{proxyModule}, Path: "*", Resource: resourceUnspecified}
		return nil
	}
	c, err := config.Decode[handlerConfig](q.Config, handlerSection)
	if err != nil {
		return module.Misfit(mappingModuleName, handlerSection, err)
	}
	isFile := func(p string) bool { return present(q, p, resourceFile) }
	for i := range c.Entries {
		e := &c.Entries[i]
		if !matchesVerb(e.Verb, r.Method) || otherSystem(e.PreCondition) {
			continue
		}
		resource, ok := matchesPath(e.Path, r.URL.Path, isFile)
		if !ok {
			continue
		}
		modules := c.modulesOf(i)
		// Static Content looks for the file itself, and says 404.0 when it is not there: nobody has to look twice.
		if unchecked := e.Resource == resourceEither && m.known(q, modules); !unchecked && !present(q, resource, e.Resource) {
			continue
		}
		if refusal := c.refuse(e, r); refusal != nil {
			return refusal
		}
		if !m.known(q, modules) {
			return unservable(e, modules)
		}
		q.Handler = e.handler(modules, resource)
		return nil
	}
	if len(c.Entries) > 0 && c.wouldMatch(r, isFile) {
		return &module.HTTPError{Status: http.StatusNotFound, Module: mappingModuleName, Summary: "there is no such file or folder at this URL"}
	}
	return &module.HTTPError{
		Status: http.StatusNotFound, SubStatus: 4, Module: mappingModuleName, Summary: "no handler is mapped to this URL and verb",
		Hint: `<handlers> was emptied by <clear /> or <remove /> in the configuration of this URL; <add name="StaticFile" path="*" verb="*" ` +
			`modules="StaticFileModule,DefaultDocumentModule,DirectoryListingModule" resourceType="Either" requireAccess="Read" /> serves files`,
	}
}

// handler returns the entry as the modules of the Handle stage see it.
func (e *mapping) handler(modules []string, resource string) *module.Handler {
	return &module.Handler{
		Name: e.Name, Modules: modules, Path: e.Path, Processor: e.Processor, Resource: e.Resource, Access: e.Access,
		AllowPathInfo: e.PathInfo, BufferLimit: e.BufferLimit, Script: resource, Pos: e.Pos,
	}
}

// wouldMatch reports whether only the kind of resource kept every handler from the request.
func (c *handlerConfig) wouldMatch(r *http.Request, isFile func(string) bool) bool {
	return slices.ContainsFunc(c.Entries, func(e mapping) bool {
		_, ok := matchesPath(e.Path, r.URL.Path, isFile)
		return ok && matchesVerb(e.Verb, r.Method) && !otherSystem(e.PreCondition)
	})
}

// known reports whether the request can go on to the modules of a handler. Those that belong to a feature of this server
// may be missing: the end of the pipeline, or a module that claims URLs by itself, then answers.
func (m *mappingModule) known(q *module.Request, modules []string) bool {
	return slices.ContainsFunc(modules, func(name string) bool {
		switch name {
		case protocolModuleName, "StaticFileModule", "DefaultDocumentModule", "DirectoryListingModule":
			return true
		}
		return m.loaded[name] && q.Config.Has(modulesSection, name)
	})
}

// unservable refuses a request whose handler this server does not have. Everything else of the site is served.
func unservable(e *mapping, modules []string) *module.HTTPError {
	what, hint := fmt.Sprintf("the module %q", strings.Join(modules, ",")), ""
	for _, name := range modules {
		if id := owner(name); id != "" {
			hint = fmt.Sprintf("; it belongs to the feature %s: rolemgr show %s", id, id)
			break
		}
	}
	if slices.Contains(modules, managedHandler) {
		what = "the .NET Framework"
		if e.Type != "" {
			what = fmt.Sprintf("the class %q of the .NET Framework", e.Type)
		}
	}
	return &module.HTTPError{
		Status: http.StatusInternalServerError, SubStatus: 21, Module: mappingModuleName,
		Summary: fmt.Sprintf("the handler %q needs %s, which is not installed on this server", e.Name, what),
		Hint:    fmt.Sprintf("the handler is added at %s for path=%q verb=%q%s", e.Pos, e.Path, e.Verb, hint),
	}
}

// present reports whether the resource is of the kind that a handler is for.
func present(q *module.Request, urlPath, kind string) bool {
	if kind == resourceUnspecified {
		return true
	}
	info, err := q.Files.Stat(urlPath)
	switch {
	case err != nil:
		return false
	case kind == resourceFile:
		return !info.IsDir()
	case kind == resourceDirectory:
		return info.IsDir()
	}
	return true
}

// otherSystem reports whether a preCondition keeps a handler for application pools that do not exist here: those of the
// classic pipeline and of 32 bits.
func otherSystem(preCondition string) bool {
	if preCondition == "" {
		return false
	}
	return slices.ContainsFunc(split(preCondition), func(p string) bool { return p == "classicMode" || p == "bitness32" })
}

func split(list string) []string {
	var out []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// refuse checks what a handler requires against accessPolicy: 403.1, 403.2 and 403.3.
func (c *handlerConfig) refuse(e *mapping, r *http.Request) *module.HTTPError {
	if e.Access == accessNone {
		return nil
	}
	granted := slices.Contains(c.Access, e.Access)
	// Execute is the larger permission of the two (IIS schema, requireAccess).
	if e.Access == accessScript && slices.Contains(c.Access, accessExecute) {
		granted = true
	}
	if granted && (!slices.Contains(c.Access, "NoRemote"+e.Access) || module.Local(r)) {
		return nil
	}
	sub := 1
	switch e.Access {
	case accessRead:
		sub = 2
	case accessWrite:
		sub = 3
	}
	return &module.HTTPError{
		Status: http.StatusForbidden, SubStatus: sub, Module: mappingModuleName,
		Summary: fmt.Sprintf("the handler %q needs the permission %s here", e.Name, e.Access),
		Hint:    "accessPolicy of <handlers> lists the permissions of this URL; add " + e.Access,
	}
}
