package httpplatform

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"
)

// Engine.IO, the transport of socket.io, gives every session an id in the first packet of its first answer, and the client
// sends it as the parameter "sid" of every request from then on (Engine.IO protocol, revisions 3 and 4). A session lives
// in the process that opened it: any other one answers "Session ID unknown".

const (
	// sessionQuiet is after how much silence a session of a process that is being replaced counts as ended. Engine.IO
	// gives a silent peer up after pingInterval and pingTimeout, by default 25 and 20 seconds.
	sessionQuiet = 60 * time.Second
	// sessionKept is after how much silence a session is forgotten. A WebSocket that has taken over asks no more.
	sessionKept = time.Hour
	// sessionsMost is how many sessions are known at once, and sessionSize how long an id may be, in bytes.
	sessionsMost = 1 << 20
	sessionSize  = 128
	// sniffSize is how many bytes of an answer are searched for an id: it stands at the very beginning.
	sniffSize = 512
)

// sessionID returns the session that a request belongs to, "" for none.
func sessionID(r *http.Request) string {
	if !strings.Contains(r.URL.RawQuery, "sid=") {
		return ""
	}
	sid := r.URL.Query().Get("sid")
	if len(sid) > sessionSize {
		return ""
	}
	return sid
}

// opensSession reports whether the answer to a request may hold the id of a new session.
func opensSession(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.RawQuery, "transport=polling") && !strings.Contains(r.URL.RawQuery, "sid=")
}

// sessions tells which process has a session. It is guarded by the application.
type sessions struct {
	m    map[string]*session
	most int
}

type session struct {
	i    *instance
	used time.Time
}

// find returns the process that has a session, nil when none does.
func (s *sessions) find(sid string, now time.Time) *instance {
	e := s.m[sid]
	if e == nil {
		return nil
	}
	e.used, e.i.session = now, now
	return e.i
}

// bind notes that a process has opened a session.
func (a *application) bind(sid string, i *instance) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !i.gone {
		a.sessions.add(sid, i, a.m.now())
	}
}

func (s *sessions) add(sid string, i *instance, now time.Time) {
	if s.m == nil {
		s.m = map[string]*session{}
	}
	i.session = now
	s.m[sid] = &session{i, now}
	n := len(s.m)
	if n <= s.most && n&(n-1) != 0 { // at every power of two: what is forgotten pays for the search
		return
	}
	for id, e := range s.m {
		if now.Sub(e.used) > sessionKept {
			delete(s.m, id)
		}
	}
	if len(s.m) <= s.most {
		return
	}
	for id := range s.m { // any of them, and some more, so that the next search is far away
		if len(s.m) <= s.most-s.most/8 {
			break
		}
		if id != sid {
			delete(s.m, id)
		}
	}
}

// forget forgets the sessions of a process.
func (s *sessions) forget(i *instance) {
	for id, e := range s.m {
		if e.i == i {
			delete(s.m, id)
		}
	}
}

// sniffer searches the beginning of an answer for the id of a session, before the client sees it.
type sniffer struct {
	io.ReadCloser
	head  []byte
	done  bool
	found func(sid string)
}

// Read reads the answer.
func (s *sniffer) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if s.done {
		return n, err
	}
	s.head = append(s.head, p[:min(n, sniffSize-len(s.head))]...)
	if sid, ok := openedSession(s.head); ok {
		s.found(sid)
		s.done, s.head = true, nil
	} else if len(s.head) >= sniffSize || err != nil {
		s.done, s.head = true, nil
	}
	return n, err
}

// openedSession returns the id in the open packet of Engine.IO that b begins with: 0{"sid":"..."...}, behind a length in
// revision 3, and with its quotes escaped for JSONP.
func openedSession(b []byte) (string, bool) {
	start := bytes.Index(b, []byte("0{"))
	if start < 0 || start > packetStart {
		return "", false
	}
	for rest := b[start:]; ; {
		var ok bool
		if _, rest, ok = bytes.Cut(rest, []byte(`"sid`)); !ok {
			return "", false
		}
		sid, ok := quoted(rest)
		if ok {
			return sid, true
		}
	}
}

// packetStart is where the open packet begins at the latest: behind ___eio[123]("123: at most.
const packetStart = 32

// quoted returns the string that is the value of a name whose closing quote b begins with; each quote may be escaped.
func quoted(b []byte) (string, bool) {
	for _, want := range []string{`"`, ":", `"`} {
		b = bytes.TrimLeft(b, ` \`)
		var ok bool
		if b, ok = bytes.CutPrefix(b, []byte(want)); !ok {
			return "", false
		}
	}
	end := bytes.IndexAny(b, `\"`)
	if end <= 0 || end > sessionSize {
		return "", false
	}
	return string(b[:end]), true
}
