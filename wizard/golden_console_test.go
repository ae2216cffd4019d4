package wizard

import (
	"context"
	"time"

	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// managerScenes are every page, menu and state of Server Manager.
func managerScenes() []scene {
	busy := withSockets(1204)
	keys := func(ks ...string) func(*driver) { return func(d *driver) { d.press(ks...) } }
	all := []scene{
		{name: "manager-empty", ascii: true, way: keys()},
		{name: "manager", made: busy, color: true, ascii: true, way: keys()},
		{name: "manager-reading", way: func(d *driver) { d.m.console.info = serverInfo{} }},
		{name: "manager-drifted", made: busy, color: true, edit: drifted, way: keys()},
		{name: "manager-menu-manage", made: busy, color: true, way: keys("m")},
		{name: "manager-menu-tools", made: busy, way: keys("t", "down")},
		{name: "manager-menu-view", made: busy, way: keys("v")},
		{name: "manager-menu-help", made: busy, way: keys("h")},
		{name: "manager-no-servers", made: busy, way: keys("m", "down", "down", "enter")},
		{name: "manager-about", made: busy, way: keys("h", "down", "enter")},
		{name: "manager-local", made: busy, way: keys("2")},
		{name: "manager-local-alone", way: keys("2")},
		{name: "manager-all", made: busy, way: keys("3")},
		{name: "manager-role", made: busy, way: keys("4")},
		{name: "manager-installed", made: busy, edit: drifted, way: keys("t", "enter")},
		{name: "manager-installed-nothing", way: keys("t", "enter")},
		{name: "manager-sites", made: busy, way: keys("t", "down", "enter")},
		{name: "manager-sites-no-host", way: keys("t", "down", "enter")},
		{name: "manager-connections", made: busy, edit: connected, way: keys("t", "down", "down", "enter")},
		{name: "manager-connections-none", made: busy, way: keys("t", "down", "down", "enter")},
		{name: "manager-log", made: busy, way: func(d *driver) {
			d.m.console.info.log = []string{
				`time=2026-11-27T09:12:00.000Z level=INFO msg="the host has started" name=web01 version=test`,
				`time=2026-11-27T09:20:00.000Z level=WARN msg="served as an ordinary GET" feature=websocket command="rolemgr install websocket"`,
			}
			d.press("t", "down", "down", "down", "enter")
		}},
		{name: "manager-check", made: busy, edit: faulty, way: keys("t", "up", "enter")},
		{name: "manager-check-fine", made: busy, way: keys("t", "up", "enter")},
		{name: "manager-notifications-none", made: busy, way: keys("n")},
		{name: "manager-notifications", way: func(d *driver) { notify(d).press("n") }},
		{name: "manager-task", way: func(d *driver) { notify(d).press("n", "enter") }},
		{name: "manager-task-failed", way: func(d *driver) { notify(d).press("n", "down", "enter") }},
		{name: "manager-task-running", way: func(d *driver) {
			d.press("m", "enter")
			d.begin()
			for range 20 {
				d.advance()
			}
			d.press("c", "n")
		}},
	}
	for i := range all {
		all[i].manager = true
	}
	return all
}

func drifted(o *Options) { o.Target = driftTarget{o.Target.(*fakeTarget)} }

func faulty(o *Options) {
	o.Check = func(context.Context) ([]string, error) {
		return []string{`sites/default/web.config:3:5: the attribute "enabld" of <webSocket> is not known`}, nil
	}
}

func connected(o *Options) {
	o.Connections = func(context.Context) ([]wshost.Connection, error) {
		var out []wshost.Connection
		for i := range 3 {
			out = append(out, wshost.Connection{
				ConnInfo:   module.ConnInfo{Remote: "192.0.2.9:5555", Path: "/echo", Since: testNow().Add(-time.Duration(i+1) * 40 * time.Minute)},
				ConnCounts: module.ConnCounts{MessagesIn: 12345, MessagesOut: int64(i)},
			})
		}
		return out, nil
	}
}

// notify has three changes behind it, as an earlier run has left them.
func notify(d *driver) *driver {
	at := testNow()
	ended := func(mode Mode, st taskState, text string, ago time.Duration, seen bool) *task {
		return &task{Mode: mode, Server: "web01", Home: "/srv/web01", Command: "rolemgr install websocket", Begun: at.Add(-ago), Ended: at.Add(-ago),
			State: st, Text: text, Seen: seen, Items: []taskItem{{ID: "websocket", Title: "WebSocket Protocol", State: itemDone}}}
	}
	done := ended(Add, taskDone, "", 3*time.Minute, false)
	bad := ended(Add, taskFailed, "writing the file config/features.d/websocket.config: no space left on device", 2*time.Hour, true)
	bad.Items[0].State = itemFailed
	lost := ended(Remove, taskMended, "undone since.", 30*time.Hour, true)
	d.m.tasks = []*task{done, bad, lost}
	return d
}

var _ target.Target = driftTarget{}
