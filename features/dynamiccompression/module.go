package dynamiccompression

import (
	"io"
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/compress"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules>.
const name = "DynamicCompressionModule"

// compressionModule is DynamicCompressionModule in one generation. Its encoders are shared by generations.
type compressionModule struct {
	settings compress.Cache
	pools    *compress.Pools
	release  func()
}

func newModule() module.Module { return &compressionModule{} }

var (
	_ module.Provisioner = (*compressionModule)(nil)
	_ io.Closer          = (*compressionModule)(nil)
)

// Provision takes the encoders.
func (m *compressionModule) Provision(c *module.Context) error {
	if _, _, err := m.settings.Get(c.Config); err != nil {
		return err
	}
	v, release, err := c.Shared.Acquire("dynamiccompression.encoders", func() (any, error) { return new(compress.Pools), nil })
	if err != nil {
		return err
	}
	m.pools, m.release = v.(*compress.Pools), release
	return nil
}

// Close gives the encoders back.
func (m *compressionModule) Close() error {
	m.release()
	return nil
}

// Middleware puts a writer between the handlers and the client, which decides when the header of the answer is known.
func (m *compressionModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect || len(r.Header["Upgrade"]) > 0 {
			// A tunnel, or a WebSocket over HTTP/2 (RFC 8441), has bytes that are no content, whatever its status is. A
			// request for another protocol ends in 101 or a short refusal, whose header must not wait: whoever took the
			// connection over ends the request by itself (module.Request.Detach), and the access log reads the status then.
			next.ServeHTTP(w, r)
			return
		}
		cw := &writer{ResponseWriter: w, m: m, r: r, q: module.FromRequest(r)}
		next.ServeHTTP(cw, r)
		cw.finish()
	})
}
