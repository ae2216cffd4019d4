package target

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

// Apply carries a plan out (see apply.Run). A plan that would close more sockets than o.MaxCut is refused with a
// *TooManyCutsError before anything is touched, and again under the lock when sockets were opened meanwhile.
func (l *Local) Apply(ctx context.Context, p plan.Plan, o ApplyOptions) (apply.Result, error) {
	if o.MaxCut >= 0 && p.Cuts > o.MaxCut {
		return apply.Result{}, &TooManyCutsError{Cuts: p.Cuts, Max: o.MaxCut}
	}
	content, err := l.content()
	if err != nil {
		return apply.Result{}, err
	}
	h := l.newHost()
	defer h.close()
	ao := l.applyOptions(h, o)
	ao.Content = content
	ao.Check = func(ctx context.Context) error { return l.checkCuts(ctx, p, o.MaxCut) }
	return patiently(ctx, o.Wait, func(wait time.Duration) (apply.Result, error) {
		ao.Wait = wait
		r, err := apply.Run(ctx, p, ao)
		if cerr := h.catchUp(context.WithoutCancel(ctx)); cerr != nil && err == nil {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the host that was started meanwhile did not take the new files: %v", cerr))
		}
		return r, err
	})
}

// lockSlice is how long the lock is waited for at a time, so that a cancelled context ends the waiting.
const lockSlice = 200 * time.Millisecond

// patiently runs a transaction until it gets the lock, the wait is over, or ctx ends.
func patiently(ctx context.Context, wait time.Duration, run func(time.Duration) (apply.Result, error)) (apply.Result, error) {
	var locked *state.LockedError
	for {
		slice := min(wait, lockSlice)
		r, err := run(slice)
		if wait -= slice; !errors.As(err, &locked) || wait <= 0 {
			return r, err
		}
		if ctx.Err() != nil {
			return r, fmt.Errorf("wait for the lock: %w", ctx.Err())
		}
	}
}

func (l *Local) applyOptions(h apply.Host, o ApplyOptions) apply.Options {
	return apply.Options{
		Home: l.o.Home, FS: l.o.FS, Store: l.store, Host: h, Now: l.o.Now, Version: l.o.Version,
		Command: o.Command, Wait: o.Wait, Emit: o.Emit,
	}
}

// checkCuts counts the sockets again. When they cannot be counted a bound cannot be kept: the plan is refused.
func (l *Local) checkCuts(ctx context.Context, p plan.Plan, bound int) error {
	closing := closingUnits(p)
	if bound < 0 || len(closing) == 0 {
		return nil
	}
	open, err := l.sockets(ctx)
	if err != nil {
		return fmt.Errorf("count the live sockets: %w", err)
	}
	cuts := 0
	for _, id := range closing {
		cuts += open[id]
	}
	if cuts > bound {
		return &TooManyCutsError{Cuts: cuts, Max: bound}
	}
	return nil
}

// closingUnits returns the units whose sockets a plan closes.
func closingUnits(p plan.Plan) []features.ID {
	var ids []features.ID
	for _, s := range p.Steps {
		if s.Op == plan.CloseSockets {
			ids = append(ids, s.Units...)
		}
	}
	return ids
}
