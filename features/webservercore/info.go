package webservercore

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

const (
	infoModuleName = "ServerInfoModule"
	infoPath       = "/server-info.json"
	infoSection    = "system.webServer/serverInfo"
)

// The sections and the module of the feature WebSocket Protocol, as far as they are told here. A unit does not import
// another; the names are what configuration files hold.
const (
	socketModule    = "WebSocketModule"
	socketSection   = "system.webServer/webSocket"
	endpointSection = "system.webServer/webSocketEndpoints"
	modulesSection  = "system.webServer/modules"
)

// infoConfig is system.webServer/serverInfo, a section of our own.
type infoConfig struct {
	Enabled bool `config:"enabled"`
}

func infoSections() []config.Section {
	return []config.Section{{
		Path:                infoSection,
		OverrideModeDefault: config.Allow,
		Element: config.Element{
			Name:       "serverInfo",
			Attributes: []config.Attribute{{Name: "enabled", Type: config.Bool, Default: "false"}},
		},
	}}
}

// serverInfo is the answer of /server-info.json. The start page of the default site reads it.
type serverInfo struct {
	Version   int           `json:"version"` // of this format: 1
	Name      string        `json:"name"`
	Program   string        `json:"program"`
	Features  []featureInfo `json:"features"`
	WebSocket socketInfo    `json:"webSocket"`
}

type featureInfo struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type socketInfo struct {
	Installed bool   `json:"installed"`
	Enabled   bool   `json:"enabled"`  // for this site, by its own configuration
	Endpoint  string `json:"endpoint"` // path of an echo endpoint, "" when there is none
	Command   string `json:"command"`  // what installs the feature
}

// infoModule is ServerInfoModule in one generation: it tells what the server is, where a site allows it.
type infoModule struct {
	name     string
	features []featureInfo
	socket   bool
}

func newInfoModule() module.Module { return &infoModule{} }

var (
	_ module.Module      = (*infoModule)(nil)
	_ module.Provisioner = (*infoModule)(nil)
)

// Provision notes the features that this generation has loaded, each once, in pipeline order.
func (m *infoModule) Provision(c *module.Context) error {
	m.name, m.features = c.ServerName, []featureInfo{}
	seen := map[string]bool{}
	for _, i := range c.Modules {
		m.socket = m.socket || i.Name == socketModule
		if i.Feature != "" && !seen[i.Feature] {
			seen[i.Feature] = true
			m.features = append(m.features, featureInfo{ID: i.Feature, Title: i.Title})
		}
	}
	return nil
}

// Middleware answers /server-info.json of sites that switch it on. Elsewhere the path is an ordinary one.
func (m *infoModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != infoPath || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		q := module.FromRequest(r)
		c, err := config.Decode[infoConfig](q.Config, infoSection)
		if err != nil {
			q.Fail(w, r, module.Misfit(infoModuleName, infoSection, err))
			return
		}
		if !c.Enabled {
			next.ServeHTTP(w, r)
			return
		}
		socket, err := m.socketInfo(q.Config)
		if err != nil {
			q.Fail(w, r, module.Misfit(infoModuleName, socketSection, err))
			return
		}
		body, err := json.Marshal(serverInfo{Version: 1, Name: m.name, Program: "wshost", Features: m.features, WebSocket: socket})
		if err != nil {
			q.Fail(w, r, module.Misfit(infoModuleName, infoSection, err))
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(http.StatusOK)
		if r.Method != http.MethodHead {
			_, _ = w.Write(body) // a client that went away needs no answer
		}
	})
}

// socketInfo looks at the sections of WebSocket Protocol as they apply to the request.
func (m *infoModule) socketInfo(e *config.Effective) (socketInfo, error) {
	info := socketInfo{Installed: m.socket, Command: "rolemgr install websocket"}
	if !m.socket {
		return info, nil
	}
	switched, err := config.Decode[infoConfig](e, socketSection)
	if err != nil {
		return info, err
	}
	info.Enabled = switched.Enabled && e.Has(modulesSection, socketModule)
	endpoints, err := config.Decode[struct {
		Entries []struct {
			Path string `config:"path"`
			Type string `config:"type"`
		} `config:",collection"`
	}](e, endpointSection)
	if err != nil {
		return info, err
	}
	for _, p := range endpoints.Entries {
		if p.Type == "echo" {
			info.Endpoint = p.Path
			break
		}
	}
	return info, nil
}
