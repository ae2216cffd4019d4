package wshost

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// webSocketModule is the name of the module that answers WebSocket handshakes, in the spelling of IIS.
const webSocketModule = "WebSocketModule"

// wantsWebSocket reports whether a request offers to upgrade to WebSocket, whether or not its handshake is correct.
func wantsWebSocket(r *http.Request) bool {
	for _, v := range r.Header["Upgrade"] {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "websocket") {
				return true
			}
		}
	}
	return false
}

// Notices of a missing feature: so many at once, then one in so much time. What was passed over is counted in the next.
const (
	noticeBurst = 10
	noticeEvery = time.Second
)

// missingNotice tells the log that clients ask for WebSocket while the feature is not installed: otherwise they fall
// back to polling and nobody learns why.
type missingNotice struct {
	feature, title string // "" when the host has no such module at all
	log            *slog.Logger
	now            func() time.Time

	mu      sync.Mutex
	tokens  float64
	last    time.Time
	dropped int
}

func newMissingNotice(available []module.Info, log *slog.Logger) *missingNotice {
	n := &missingNotice{log: log, now: time.Now, tokens: noticeBurst, feature: "websocket", title: "WebSocket Protocol"}
	for _, m := range available {
		if m.Name == webSocketModule && m.Feature != "" {
			n.feature, n.title = m.Feature, m.Title
		}
	}
	return n
}

// note logs a request for an upgrade that the generation has no module for.
func (n *missingNotice) note(g *generation, q *module.Request) {
	for _, m := range g.modules {
		if m.info.Name == webSocketModule {
			return
		}
	}
	dropped, ok := n.take()
	if !ok {
		return
	}
	args := []any{"feature", n.feature, "title", n.title, "command", "rolemgr install " + n.feature}
	if dropped > 0 {
		args = append(args, "not_logged", dropped)
	}
	q.Logger.Warn("a client asked for WebSocket, but the feature is not installed: the request is served as an ordinary GET", args...)
}

// take takes a token from the bucket and returns how many notices were passed over before.
func (n *missingNotice) take() (dropped int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	if !n.last.IsZero() {
		n.tokens = min(noticeBurst, n.tokens+float64(now.Sub(n.last))/float64(noticeEvery))
	}
	n.last = now
	if n.tokens < 1 {
		n.dropped++
		return 0, false
	}
	n.tokens--
	dropped, n.dropped = n.dropped, 0
	return dropped, true
}
