package staticcompression

import (
	"io"
	"net/http"
	"path/filepath"

	"github.com/rolemgr/rolemgr/runtime/wshost/compress"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules>.
const name = "StaticCompressionModule"

// compressionModule is StaticCompressionModule in one generation. The copies are shared by generations.
type compressionModule struct {
	settings compress.Cache
	store    *store
	release  func()
}

func newModule() module.Module { return &compressionModule{} }

var (
	_ module.Provisioner = (*compressionModule)(nil)
	_ io.Closer          = (*compressionModule)(nil)
)

// Provision takes hold of the copies. Where they lie and how much room they may take is the server's to say: a site that
// names another folder in its web.config, as files from Windows do, is passed over. Nothing is touched on disk yet, so a
// folder that cannot be used refuses no generation.
func (m *compressionModule) Provision(c *module.Context) error {
	s, _, err := m.settings.Get(c.Config)
	if err != nil {
		return err
	}
	if names := s.Unknown(); len(names) > 0 {
		at, _ := c.Config.Origin(compress.HTTPSection)
		c.Logger.Warn("compression schemes are passed over: there are gzip, deflate, br and zstd", "schemes", names, "file", at.File)
	}
	dir := s.Directory(filepath.Dir(c.CacheDir), filepath.Join(c.CacheDir, "compressed"))
	v, release, err := c.Shared.Acquire("staticcompression:"+dir, func() (any, error) { return newStore(dir, c.Logger), nil })
	if err != nil {
		return err
	}
	m.store, m.release = v.(*store), release
	m.store.setLimit(s.DiskLimit())
	return nil
}

// Close lets go of the copies.
func (m *compressionModule) Close() error {
	m.release()
	return nil
}

// Middleware stands around the module that serves files.
func (m *compressionModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		q := module.FromRequest(r)
		s, u, err := m.settings.Get(q.Config)
		if err != nil {
			q.Fail(w, r, misfit(err))
			return
		}
		if !u.Static {
			next.ServeHTTP(w, r)
			return
		}
		cw := &writer{ResponseWriter: w, m: m, r: r, q: q, settings: s}
		defer cw.close()
		next.ServeHTTP(cw, r)
		cw.finish()
	})
}

// misfit is a section whose declaration and Go type differ: a fault of this program.
func misfit(err error) *module.HTTPError {
	return &module.HTTPError{
		Status: http.StatusInternalServerError, Module: name,
		Summary: "the sections of compression cannot be read: " + err.Error(),
	}
}
