module github.com/rolemgr/rolemgr/runtime/wshost/ws/peers

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/rolemgr/rolemgr v0.0.0
)

require golang.org/x/sys v0.49.0 // indirect

replace github.com/rolemgr/rolemgr => ../../../..
