package target

import (
	"path/filepath"

	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// probeSite is the name of the site that the host serves to probes.
const probeSite = "wshost.probe"

// webSocketOff returns the place where <webSocket enabled="false"> is written for a path of the probe site, "" when
// WebSocket is on there or the configuration cannot be read: then the probe's own error says enough.
func (l *Local) webSocketOff(path string) string {
	const section = "system.webServer/webSocket"
	e := l.effective(path)
	if e == nil {
		return ""
	}
	s, err := config.Decode[struct {
		Enabled bool `config:"enabled"`
	}](e, section)
	if err != nil || s.Enabled {
		return ""
	}
	pos, ok := e.Origin(section)
	if !ok {
		return ""
	}
	return pos.String()
}

// effective returns the configuration of a path of the probe site, nil when it cannot be read.
func (l *Local) effective(path string) *config.Effective {
	all := l.o.Catalog.Modules()
	schema, err := wshost.Schema(all, all, l.o.Catalog.Known())
	if err != nil {
		return nil
	}
	dir := filepath.Join(l.o.Home, "config")
	tree, err := config.Open(config.Options{
		AppHost: filepath.Join(dir, "applicationHost.config"), DropInDir: filepath.Join(dir, "features.d"),
		BaseDir: l.o.Home, Schema: schema,
	})
	if err != nil {
		return nil
	}
	e, err := tree.Effective(probeSite, path)
	if err != nil {
		return nil
	}
	return e
}
