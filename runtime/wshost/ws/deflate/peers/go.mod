module github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate/peers

go 1.26.0

require (
	github.com/klauspost/compress v1.20.4
	github.com/lxzan/gws v1.8.9
	github.com/rolemgr/rolemgr v0.0.0-00010101000000-000000000000
)

require github.com/dolthub/maphash v0.1.0 // indirect

replace github.com/rolemgr/rolemgr => ../../../../..
