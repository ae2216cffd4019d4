package wizard

import (
	"slices"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

// PageID names a page of a wizard.
type PageID uint8

// The pages, in their order.
const (
	PageBefore   PageID = 0
	PageType     PageID = 1
	PageServer   PageID = 2
	PageRoles    PageID = 3
	PageFeatures PageID = 4
	PageRoleInfo PageID = 5
	PageServices PageID = 6
	PageConfirm  PageID = 7
	PageResults  PageID = 8
)

// Server is a row of the server pool.
type Server struct {
	Name    string
	Address string // IP addresses, comma-separated
	System  string // operating system
	Home    string // home folder
	Offline bool   // a home folder that was named by hand
	Named   bool   // a command needs --home to mean this server
}

// Session is one run through a wizard: where it stands and what was answered. It knows nothing of a screen, so the
// wizard and the plain dialogue are two faces of it. It does no I/O: what it needs to know it is given. It is not safe
// for concurrent use.
type Session struct {
	Mode Mode
	Page PageID

	cat  *features.Catalog
	role features.ID // the role whose pages follow

	SkipBefore bool // do not show Before You Begin the next time
	Restart    bool // restart the server if required
	Pool       []Server
	Chosen     int // row of the pool, -1 while none is chosen

	State state.State // of the chosen server
	Sel   *Selection  // nil until the state is known

	// What follows from the answers; see NeedsPlan.
	Plan    plan.Plan
	Diags   diag.List
	PlanErr error
	planned bool
	wanted  features.Wish // ticks to be made when the state is known
	// wantedAgain tells that they were made in this session.
	wantedAgain bool
	started     bool // the change was begun: there is no way back
	finished    bool
}

// NewSession returns a session on the first page, or on the second when skip is set.
func NewSession(mode Mode, cat *features.Catalog, pool []Server, skip bool) *Session {
	s := &Session{Mode: mode, cat: cat, Pool: pool, SkipBefore: skip, Chosen: -1}
	for _, id := range cat.Children("") {
		if u, _ := cat.Unit(id); u.Kind == features.Role {
			s.role = id
			break
		}
	}
	if len(pool) > 0 {
		s.Chosen = 0
	}
	if skip {
		s.Page = s.Pages()[1]
	}
	return s
}

// SetState tells what is installed on the chosen server. Ticks are kept when it is the server they were made on and
// nothing was changed there.
func (s *Session) SetState(st state.State) {
	if s.Sel != nil && s.State.Serial == st.Serial && s.State.LastTransaction == st.LastTransaction {
		return
	}
	kept := s.wanted
	if s.Sel != nil {
		kept = s.Sel.Wish()
	}
	s.State, s.wanted = st, features.Wish{}
	s.Sel = NewSelection(s.cat, s.Mode, st)
	s.Sel.restore(kept)
	s.stale()
}

// forgetState has the state read again, for the server was changed. The ticks are made again then.
func (s *Session) forgetState() {
	if s.Sel != nil {
		s.wanted, s.wantedAgain, s.Sel = s.Sel.Wish(), true, nil
	}
	s.stale()
}

// back undoes Start, for a change that was not begun after all: the server is not what the plan was made for.
func (s *Session) back() {
	s.started, s.Page = false, PageConfirm
	s.forgetState()
}

// Choose chooses a row of the pool. Another server has other features: the ticks go.
func (s *Session) Choose(row int) {
	if row == s.Chosen || row < 0 || row >= len(s.Pool) {
		return
	}
	s.Chosen, s.Sel, s.wanted = row, nil, features.Wish{}
	s.stale()
}

// Server returns the chosen server; ok is false while there is none.
func (s *Session) Server() (srv Server, ok bool) {
	if s.Chosen < 0 || s.Chosen >= len(s.Pool) {
		return Server{}, false
	}
	return s.Pool[s.Chosen], true
}

// Pages returns the pages of the wizard as the answers have it: the pages of a role are there only while it is about to
// be installed.
func (s *Session) Pages() []PageID {
	if s.Mode == Remove {
		return []PageID{PageBefore, PageServer, PageRoles, PageFeatures, PageConfirm, PageResults}
	}
	pages := []PageID{PageBefore, PageType, PageServer, PageRoles, PageFeatures}
	if s.Sel != nil && s.Sel.New(s.role) {
		pages = append(pages, PageRoleInfo, PageServices)
	}
	return append(pages, PageConfirm, PageResults)
}

// Label returns a page's name in the navigation pane.
func (s *Session) Label(p PageID) string {
	switch p {
	case PageBefore:
		return "Before You Begin"
	case PageType:
		return "Installation Type"
	case PageServer:
		return "Server Selection"
	case PageRoles:
		return "Server Roles"
	case PageFeatures:
		return "Features"
	case PageRoleInfo:
		return "Web Server Role (IIS)"
	case PageServices:
		return "Role Services"
	case PageConfirm:
		return "Confirmation"
	}
	return "Results"
}

// Heading returns what stands at the top of a page.
func (s *Session) Heading(p PageID) string {
	if s.Mode == Remove {
		switch p {
		case PageRoles:
			return "Remove server roles"
		case PageFeatures:
			return "Remove features"
		case PageConfirm:
			return "Confirm removal selections"
		case PageResults:
			return "Removal progress"
		}
	}
	switch p {
	case PageBefore:
		return "Before you begin"
	case PageType:
		return "Select installation type"
	case PageServer:
		return "Select destination server"
	case PageRoles:
		return "Select server roles"
	case PageFeatures:
		return "Select features"
	case PageRoleInfo:
		return "Web Server Role (IIS)"
	case PageServices:
		return "Select role services"
	case PageConfirm:
		return "Confirm installation selections"
	}
	return "Installation progress"
}

// Reachable reports whether a person may jump to a page in the navigation pane, with the reason when not.
func (s *Session) Reachable(p PageID) (ok bool, why string) {
	_, chosen := s.Server()
	switch {
	case p == s.Page:
		return true, ""
	case s.started:
		return false, "the change has begun: close the wizard and open it again for another"
	case p == PageResults:
		return false, "the results come when the change has begun"
	case p <= PageServer:
		return true, ""
	case !chosen:
		return false, "choose a server first"
	case s.Sel == nil:
		return false, "what is installed on the server is not known yet"
	case p == PageConfirm && s.Sel.Empty():
		return false, s.nothing()
	}
	return true, ""
}

// nothing is why there is nothing to confirm.
func (s *Session) nothing() string {
	if s.Mode == Remove {
		return "clear the box of what is to be removed first"
	}
	return "tick what is to be installed first"
}

// Next is the page that Next leads to, with the reason when it leads nowhere.
func (s *Session) Next() (p PageID, why string) {
	pages := s.Pages()
	i := slices.Index(pages, s.Page)
	if i < 0 { // the page went with a tick: its neighbour takes its place
		i = slices.IndexFunc(pages, func(q PageID) bool { return q > s.Page }) - 1
	}
	if s.Page == PageConfirm || i+1 >= len(pages) {
		return s.Page, "this is the last page: press " + s.Verb()
	}
	if ok, why := s.Reachable(pages[i+1]); !ok {
		return s.Page, why
	}
	return pages[i+1], ""
}

// Previous is the page that Previous leads to, with the reason when it leads nowhere.
func (s *Session) Previous() (p PageID, why string) {
	if s.started {
		return s.Page, "the change has begun: there is no way back"
	}
	pages := s.Pages()
	i := slices.IndexFunc(pages, func(q PageID) bool { return q >= s.Page })
	if i <= 0 {
		return s.Page, "this is the first page"
	}
	return pages[i-1], ""
}

// Go shows a page.
func (s *Session) Go(p PageID) { s.Page = p }

// Verb is the button that carries the change out.
func (s *Session) Verb() string {
	if s.Mode == Remove {
		return "Remove"
	}
	return "Install"
}

// CanStart reports whether the change can be carried out now, with the reason when not.
func (s *Session) CanStart() (ok bool, why string) {
	switch {
	case s.started:
		return false, "the change has begun already"
	case s.Page != PageConfirm:
		return false, s.Verb() + " is on the Confirmation page"
	case !s.planned:
		return false, "the plan is being made"
	case s.PlanErr != nil:
		return false, "the plan was refused: go back and change the selection"
	case s.Plan.Empty():
		return false, "there is nothing to change"
	}
	return true, ""
}

// Request is what the answers ask for.
func (s *Session) Request() plan.Request {
	if s.Sel == nil {
		return plan.Request{}
	}
	return plan.Request{Wish: s.Sel.Wish()}
}

// stale forgets the plan: an answer has changed.
func (s *Session) stale() { s.planned, s.PlanErr, s.Diags, s.Plan = false, nil, nil, plan.Plan{} }

// NeedsPlan reports whether a plan is due: on the Confirmation page, when the answers have changed since the last one.
func (s *Session) NeedsPlan() bool { return s.Page == PageConfirm && !s.planned && s.Sel != nil }

// SetPlan tells what the answers lead to.
func (s *Session) SetPlan(p plan.Plan, diags diag.List, err error) {
	s.Plan, s.Diags, s.PlanErr, s.planned = p, diags, err, true
}

// Planned reports whether the plan is that of the answers.
func (s *Session) Planned() bool { return s.planned }

// Start begins the change: from here there is no way back.
func (s *Session) Start() { s.started, s.Page = true, PageResults }

// Finish notes that the change is over.
func (s *Session) Finish() { s.finished = true }

// Started reports whether the change was begun.
func (s *Session) Started() bool { return s.started }

// Finished reports whether the change is over.
func (s *Session) Finished() bool { return s.finished }

// Accept makes a proposal of Sel.Toggle true.
func (s *Session) Accept(p *Proposal, tools bool) error {
	if err := s.Sel.Accept(p, tools); err != nil {
		return err
	}
	s.stale()
	return nil
}

// Toggle is Sel.Toggle, made true at once when nothing else follows from it; then the proposal is nil.
func (s *Session) Toggle(id features.ID) (*Proposal, error) {
	if s.Sel == nil {
		return nil, &RefusedError{Reason: "what is installed on the server is not known yet"}
	}
	p, err := s.Sel.Toggle(id)
	if err != nil || len(p.Extras) > 0 {
		return p, err
	}
	return nil, s.Accept(p, true)
}

// Roots returns the nodes at the top of a page's tree.
func (s *Session) Roots(p PageID) []features.ID {
	if p == PageServices {
		return s.cat.Children(s.role)
	}
	var out []features.ID
	for _, id := range s.cat.Children("") {
		if u, _ := s.cat.Unit(id); (u.Kind == features.Feature) == (p == PageFeatures) {
			out = append(out, id)
		}
	}
	return out
}

// Command is the command line that does the same as the answers.
func (s *Session) Command() []string {
	w := s.Request().Wish
	args := []string{"rolemgr"}
	names := w.Install
	if s.Mode == Remove {
		args, names = append(args, "remove"), w.Remove
	} else {
		args = append(args, "install")
	}
	for _, id := range names {
		args = append(args, string(id))
	}
	if s.Mode == Add {
		for _, id := range w.Remove {
			args = append(args, "--without", string(id))
		}
		if w.IncludeManagementTools {
			args = append(args, "--include-management-tools")
		}
	}
	if srv, ok := s.Server(); ok && srv.Named {
		args = append(args, "--home", srv.Home)
	}
	return args
}
