package wshost

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// certLook is how often certificate files are looked at.
const certLook = time.Second

// certFiles names a certificate: its chain and its key.
type certFiles struct{ chain, key string }

// certStore holds the certificates that bindings name, over all generations, and follows their files: a new pair is
// used for the next handshake, one that cannot be used leaves the old one in use.
type certStore struct {
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	pairs  map[certFiles]*certPair
	timer  *time.Timer // nil while there is nothing to look at
	closed bool
}

// certPair is one certificate. What is not atomic belongs to the store's lock.
type certPair struct {
	files   certFiles
	current atomic.Pointer[tls.Certificate] // nil until it could be read once

	seen     [2]fileStamp // of what was read last
	changing [2]fileStamp // of what was found changed at the last look
	problem  error        // of what was read last
	warnings []string
	told     time.Time // when its end was last spoken of
}

// fileStamp tells whether a file was changed or replaced. A change of permissions counts.
type fileStamp struct {
	dev, ino       uint64
	size           int64
	changed, wrote int64
	err            string
}

func stampOf(name string) fileStamp {
	info, err := os.Stat(name)
	if err != nil {
		return fileStamp{err: plainErrno(err).Error()}
	}
	s := fileStamp{size: info.Size(), wrote: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.dev, s.ino, s.changed = st.Dev, st.Ino, st.Ctim.Nano()
	}
	return s
}

func (f certFiles) stamp() [2]fileStamp { return [2]fileStamp{stampOf(f.chain), stampOf(f.key)} }

// get returns the certificate of the files, as they are now. It never fails: a certificate that cannot be read may be
// readable later.
func (s *certStore) get(f certFiles) *certPair {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pairs == nil {
		s.pairs = map[certFiles]*certPair{}
	}
	p := s.pairs[f]
	if p == nil {
		p = &certPair{files: f}
		s.pairs[f] = p
	}
	if stamp := f.stamp(); stamp != p.seen {
		s.read(p, stamp)
	}
	return p
}

// keep forgets the certificates that are not in use any more, and follows the others.
func (s *certStore) keep(used map[*certPair]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for f, p := range s.pairs {
		if !used[p] {
			delete(s.pairs, f)
		}
	}
	s.arm()
}

// arm lets the files be looked at again after a while, as long as there are any. The caller holds the lock.
func (s *certStore) arm() {
	if s.timer == nil && len(s.pairs) > 0 && !s.closed {
		s.timer = time.AfterFunc(certLook, func() {
			s.look()
			s.mu.Lock()
			defer s.mu.Unlock()
			s.timer = nil
			s.arm()
		})
	}
}

// close ends the looking.
func (s *certStore) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

// look reads the pairs whose files have changed. Files that change are left alone until they do so no more: one of the
// two is always replaced first.
func (s *certStore) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pairs {
		stamp := p.files.stamp()
		switch {
		case stamp == p.seen:
			s.remind(p)
		case stamp != p.changing:
			p.changing = stamp
		default:
			s.read(p, stamp)
		}
	}
}

// read takes the pair over, or tells why it cannot be used. The stamp was taken before: what changes meanwhile is seen
// at the next look.
func (s *certStore) read(p *certPair, stamp [2]fileStamp) {
	p.seen, p.changing = stamp, [2]fileStamp{}
	c, warnings, err := loadCertificate(p.files.chain, p.files.key)
	p.problem, p.warnings = err, warnings
	if err != nil {
		then := "clients of its bindings are refused until it can"
		if p.current.Load() != nil {
			then = "the one of before stays in use"
		}
		s.log.Error("a certificate cannot be used; "+then, "error", err, "hint", certificateHint(err))
		return
	}
	p.current.Store(c)
	p.told = time.Time{}
	s.log.Info("a certificate is in use", "file", p.files.chain, "subject", c.Leaf.Subject.String(), "names", certificateNames(c.Leaf), "until", c.Leaf.NotAfter)
	for _, w := range warnings {
		s.log.Warn(w)
	}
	s.remind(p)
}

// remind tells once a day of a certificate that ends.
func (s *certStore) remind(p *certPair) {
	c, now := p.current.Load(), s.now()
	if c == nil || now.Sub(p.told) < 24*time.Hour {
		return
	}
	if e := expiry(c.Leaf, now); e != "" {
		p.told = now
		s.log.Warn("a certificate in use: "+e, "file", p.files.chain, "names", certificateNames(c.Leaf), "hint", "put a new one into its place; it is taken over by itself")
	}
}

func certificateHint(err error) string {
	if ce := (*CertificateError)(nil); errors.As(err, &ce) {
		return ce.Hint
	}
	return ""
}

// status describes a certificate.
func (s *certStore) status(p *certPair) CertificateStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := CertificateStatus{CertificateInfo: CertificateInfo{File: p.files.chain, KeyFile: p.files.key, Names: []string{}}, InUse: false, Bindings: []string{}}
	if c := p.current.Load(); c != nil {
		out.CertificateInfo, out.InUse = describeCertificate(p.files.chain, p.files.key, c.Leaf), true
		out.Expiry = expiry(c.Leaf, s.now())
	}
	if p.problem != nil {
		out.Problem, out.Hint = p.problem.Error(), certificateHint(p.problem)
	}
	out.Warnings = append(out.Warnings, p.warnings...)
	return out
}

// trouble tells a person who reloads what is wrong with a certificate; "" when nothing is.
func (s *certStore) trouble(p *certPair) string {
	st := s.status(p)
	switch {
	case st.Problem == "":
		return ""
	case st.InUse:
		return st.Problem + "; the one of before stays in use"
	}
	return st.Problem + "; its clients are refused until it can be read"
}
