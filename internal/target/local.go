package target

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/runtime/wshost"
)

// statusTimeout bounds how long a plan or a status waits for the running host to say what it is doing. The host
// answers from memory over a Unix socket: a second is an eternity.
const statusTimeout = time.Second

// LocalOptions are what a Local is made of.
type LocalOptions struct {
	Home    string // absolute
	Name    string // as shown to people; "": the machine's host name
	Catalog *features.Catalog
	Factory []byte        // content of the factory's state.toml
	FS      atomicfile.FS // nil: the real one
	Version string
	Now     func() time.Time // nil: time.Now
}

// Local is the Target of a home folder on this machine. It holds no connection and no open file between calls.
type Local struct {
	o     LocalOptions
	store *state.Store
	admin admin
	// start makes a throw-away host; tests replace it.
	start func(context.Context) (throwaway, error)
}

var _ Target = (*Local)(nil)

// admin is what Local needs of a running host: *wshost.Admin.
type admin interface {
	Status(context.Context) (wshost.Status, error)
	Reload(context.Context) (wshost.ReloadReport, error)
	OpenProbe(context.Context) (addr string, err error)
	CloseProbe(ctx context.Context, addr string) error
	CloseConnections(ctx context.Context, features []string, code uint16, reason string) (int, error)
}

// throwaway is what Local needs of a host that nobody else uses: *wshost.Server.
type throwaway interface {
	Status() wshost.Status
	OpenProbe() (addr string, closeProbe func(), err error)
	Stop(context.Context) error
}

// NewLocal returns the Target of a home folder, which need not exist yet.
func NewLocal(o LocalOptions) *Local {
	if o.FS == nil {
		o.FS = atomicfile.OS{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Name == "" {
		o.Name = hostName()
	}
	l := &Local{o: o, store: state.NewStore(o.Home, o.FS, o.Factory), admin: wshost.NewAdmin(o.Home)}
	l.start = l.startThrowaway
	return l
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}

// Name is the server's name as shown to people.
func (l *Local) Name() string { return l.o.Name }

// State returns what is recorded in state.toml; the factory's state when nothing was ever installed.
func (l *Local) State(context.Context) (state.State, error) { return l.store.Read() }

// Plan returns what a request would change, from the recorded state, the files on disk and the sockets that are open
// now. When a host runs but does not answer, a warning says that the sockets are unknown.
func (l *Local) Plan(ctx context.Context, r plan.Request) (plan.Plan, diag.List, error) {
	s, err := l.store.Read()
	if err != nil {
		return plan.Plan{}, nil, err
	}
	sockets, unknown := l.sockets(ctx)
	p, diags, err := plan.Build(l.o.Catalog, s, r, plan.Facts{Hash: l.hash, Dir: l.dir, Sockets: sockets, Blob: l.store.HasBlob})
	if err != nil {
		return p, diags, err
	}
	if unknown != nil {
		diags = append(diags, socketsUnknown(unknown))
	}
	inUse, err := l.inUse(p)
	if err != nil {
		return plan.Plan{}, diags, err
	}
	return p, append(diags, inUse...), nil
}

// SocketsUnknown is the code of the warning that a plan was made without knowing what is open.
const SocketsUnknown = "sockets-unknown"

func socketsUnknown(err error) diag.Diagnostic {
	d := diag.Diagnostic{
		Severity: diag.Warning, Code: SocketsUnknown,
		Summary: "it is not known how many sockets are open: " + err.Error(),
		Hint:    "look at the host with \"rolemgr status\" before going on",
	}
	if errors.Is(err, fs.ErrPermission) {
		d.Hint = "plan as the user who runs the server"
	}
	return d
}

// sockets returns the upgraded connections by feature. Without a running host there are none.
func (l *Local) sockets(ctx context.Context) (map[features.ID]int, error) {
	st, err := l.Host(ctx)
	if notRunning(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	counts := make(map[features.ID]int, len(st.Sockets))
	for f, n := range st.Sockets {
		counts[features.ID(f)] = n
	}
	return counts, nil
}

// Host returns the running host's status, wshost.ErrNotRunning when none runs.
func (l *Local) Host(ctx context.Context) (wshost.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	return l.admin.Status(ctx)
}

// Recover finishes or undoes an interrupted transaction. It does not wait for the lock: whoever holds it is at work.
func (l *Local) Recover(ctx context.Context) (apply.Recovery, error) {
	h := l.newHost()
	defer h.close()
	return apply.Recover(ctx, l.applyOptions(h, ApplyOptions{Command: "rolemgr recover"}))
}

// Pending reports an interrupted transaction, or one that is at work right now. It writes nothing.
func (l *Local) Pending(context.Context) (apply.Recovery, bool, error) {
	return apply.Pending(l.o.Home, l.o.FS)
}

// History returns the current state and the past ones that are kept, newest first.
func (l *Local) History(context.Context) ([]state.State, error) {
	current, err := l.store.Read()
	if err != nil {
		return nil, err
	}
	serials, err := l.store.Past()
	if err != nil {
		return nil, err
	}
	states := []state.State{current}
	for _, n := range serials {
		if n == current.Serial {
			continue
		}
		s, err := l.store.ReadPast(n)
		if err != nil {
			return nil, fmt.Errorf("read past state %d: %w", n, err)
		}
		states = append(states, s)
	}
	return states, nil
}
