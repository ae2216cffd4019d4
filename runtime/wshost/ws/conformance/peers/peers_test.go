package peers

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/conformance"
)

// fault is what a peer is known to get wrong, and how the judge must tell it.
type fault struct {
	about   string
	cases   string              // the pattern that chooses them
	outcome conformance.Outcome // of at least so many of them
	seen    string              // an expression for what was seen in these
	least   int
}

// The outcomes that faults have, and that of cases in the same place which the peer passes: a judge that fails
// everything would find every fault.
const (
	failed = conformance.Failed
	lax    = conformance.NonStrict
	policy = conformance.Informational
	sound  = conformance.OK
)

// lateText is shared by all but gobwas: text is looked at when the whole message is there.
var lateText = fault{"does not fail inside a frame", "noticed before the frame ends", lax, `^nothing for a moment, then close 1007|^nothing for a moment, then line closed`, 39}

// manyEmpty is shared by all of them: fragments and pings without end.
var (
	manyEmpty = fault{"takes 200000 empty fragments", "6455-10.4-05", policy, `^binary message of 1 byte`, 1}
	manyPings = fault{"answers 20000 pings", "20000 pings", policy, `^pong "ping 0", then pong "ping 1", .*"ping 19999", then close 1000`, 1}
	anyOrigin = fault{"takes any origin unless told otherwise", "6455-10.2-01", policy, `^status 101`, 1}
	behind    = fault{"runs what stands behind a refused request", "a second request behind it", failed, `the request behind it was answered`, 3}
	finals    = fault{"stops at a block marked as final", "7692-7.2.3-01", failed, `8 bytes "one two "`, 1}
	hugeFrame = fault{"ends the line at a length of 2^63 and more without a word", "6455-5.2-25,6455-5.2-26", lax, `^line closed$`, 2}
)

type server struct {
	name   string
	echo   http.HandlerFunc
	limit  int // of a message, 0 when it does not matter
	faults []fault
}

func servers() []server {
	limited := &gwsServer{limit: 1 << 16}
	return []server{
		{"gorilla", gorillaEcho(maxMessage), 0, gorillaFaults()},
		{"gorilla with a limit", gorillaEcho(1 << 16), 1 << 16, []fault{
			{"does not apply the limit to what was inflated", "compressed,known limit", failed, `binary message of (65537 bytes|2 MiB)`, 3},
			{"applies it to what was not compressed", "6455-10.4-09,6455-10.4-10,6455-10.4-11,6455-10.4-12", sound, "", 4},
		}},
		{"coder", coderEcho, 0, coderFaults()},
		{"gobwas", gobwasEcho, 0, gobwasFaults()},
		{"gws", (&gwsServer{limit: maxMessage}).ServeHTTP, 0, gwsFaults()},
		{"gws with a limit", limited.ServeHTTP, 1 << 16, []fault{
			{"calls it an internal error when what was inflated is too long", "7692-8-04,7692-8-05,7692-8-06", lax, `close 1011`, 3},
			{"calls it too big when it was not compressed", "6455-10.4-11", sound, `close 1009`, 1},
		}},
		{"gws with its own queue", (&gwsServer{limit: maxMessage, async: true}).ServeHTTP, 0, []fault{
			{"holds everything for a peer that does not read", "slow readers", policy, `^the peer takes it all`, 1},
		}},
	}
}

func gorillaFaults() []fault {
	return []fault{
		lateText, manyEmpty, manyPings, behind, finals, hugeFrame,
		{"looks at the origin", "6455-10.2-01", policy, `^status 403`, 1},
		{"accepts server_max_window_bits and ignores it", "7692-7.1.2.1-*", failed, `accepted server_max_window_bits without repeating it`, 9},
		{"accepts what it must decline", "impossible offer", failed, `accepted`, 15},
		{"takes HTTP/1.0", "6455-4.2.1-12", failed, `status 101`, 1},
		{"takes RSV1 on a ping", "RSV1 on a ping", failed, `pong "hello"`, 1},
		{"refuses 1014", "6455-7.4.1-12", lax, `close 1002`, 1},
		{"takes 1012 and 1013", "6455-7.4.1-10,6455-7.4.1-11", sound, "", 2},
		{"calls a reason that is not UTF-8 a protocol error", "close reason that is not", lax, `close 1002`, 48},
		{"stops reading when nobody reads", "slow readers", policy, `^the peer stops reading`, 1},
	}
}

func coderFaults() []fault {
	return []fault{
		lateText, manyEmpty, manyPings, behind, finals, hugeFrame,
		{"sends back a close reason that is not UTF-8", "close reason that is not", failed, `breach by the peer: close reason that is not UTF-8`, 48},
		{"declines small windows", "7692-7.1.2.1-01,7692-7.1.2.1-02,7692-7.1.2.1-03", conformance.Skipped, `declined`, 3},
		{"accepts server_max_window_bits=15 and does not repeat it", "7692-7.1.2.1-08", failed, `without repeating it`, 1},
		{"gives up at a final block", "7692-7.2.3.4-01", failed, `"Hello", then line closed`, 1},
		{"takes lengths of control frames that are not in their shortest form", "control frames,!opcode", lax, `^(pong "pp", then )?close 1000`, 6},
		{"takes the end of a stream for good", "7692-7.2.2-03", failed, `Hello`, 1},
		{"takes 1012 to 1014", "6455-7.4.1-10,6455-7.4.1-11,6455-7.4.1-12", sound, "", 3},
		{"stops reading when nobody reads", "slow readers", policy, `^the peer stops reading`, 1},
	}
}

func gobwasFaults() []fault {
	return []fault{
		{"fails inside a frame, without a close frame", "noticed before the frame ends", lax, `^line closed$`, 39},
		manyEmpty, manyPings, anyOrigin,
		{"refuses 1012 to 1014", "6455-7.4.1-10,6455-7.4.1-11,6455-7.4.1-12", lax, `close 1002`, 3},
		{"accepts 5000 and beyond", "6455-7.4.2-15,6455-7.4.2-16,6455-7.4.2-19", failed, `close frame with code (500[01]|65535)`, 3},
		{"refuses 1016", "6455-7.4.2-08", sound, "", 1},
		{"fails without a close frame", "reserved bits,reserved opcodes,fragmentation,!message,!ping", lax, `line closed$`, 55},
		{"takes Connection in one line only", "6455-4.2.1-05", failed, `status 400`, 1},
	}
}

func gwsFaults() []fault {
	return []fault{
		lateText, manyEmpty, manyPings, anyOrigin, hugeFrame, finals,
		{"answers 12 bits to an offer of fewer", "7692-7.1.2.1-01,7692-7.1.2.1-02,7692-7.1.2.1-03,7692-7.1.2.1-04", failed,
			`server_max_window_bits=12 to an offer of (8|9|10|11)`, 4},
		{"answers 12 bits to a client that cannot do more than fewer", "7692-7.1.2.2-01,7692-7.1.2.2-03", failed, `client_max_window_bits=12 to an offer of (8|10)`, 2},
		{"sends client_max_window_bits unasked", "7692-5.1-01,7692-7.1.1.1-01", failed, `client_max_window_bits, which was not offered`, 2},
		{"delivers frames with RSV2 and RSV3", "on a binary message that is good otherwise", failed, `binary message of 5 bytes "hello"`, 3},
		{"delivers compressed frames with RSV2 and RSV3", "7692-6-09,7692-6-10,7692-6-11", failed, `text message of 5 bytes "hello"`, 3},
		{"takes RSV1 on a ping", "RSV1 on a ping", failed, `pong "hello"`, 1},
		{"takes \"Connection: not-upgrade\"", "6455-4.2.1-20", failed, `status 101`, 1},
		{"takes HTTP/1.0", "6455-4.2.1-12", failed, `status 101`, 1},
		{"answers 1000 to other codes", "6455-7.4.1-02,6455-7.4.1-08", lax, `^close 1000`, 2},
		{"refuses 1014", "6455-7.4.1-12", lax, `close 1002`, 1},
	}
}

func TestFaultsOfServers(t *testing.T) {
	for _, s := range servers() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			r, err := conformance.Run(t.Context(), conformance.Options{
				URL: serve(t, s.echo), Match: together(t, conformance.Server, s.faults), MessageSize: s.limit, Concurrency: atOnce,
				Deadline: 5 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range s.faults {
				f.holds(t, r)
			}
		})
	}
}

// together is a pattern for the cases of all faults.
func together(t *testing.T, s conformance.Subject, faults []fault) string {
	t.Helper()
	var ids []string
	for _, f := range faults {
		for _, c := range f.choose(t, s) {
			ids = append(ids, c.ID)
		}
	}
	return strings.Join(ids, ",")
}

func (f fault) choose(t *testing.T, s conformance.Subject) []conformance.Case {
	t.Helper()
	cases, err := conformance.Choose(s, f.cases)
	if err != nil {
		t.Fatalf("%s: %v", f.about, err)
	}
	return cases
}

// holds asks whether the judge has told the fault.
func (f fault) holds(t *testing.T, r *conformance.Report) {
	t.Helper()
	seen := regexp.MustCompile(f.seen)
	n := 0
	var others []string
	mine := map[string]bool{}
	for _, c := range f.choose(t, r.Subject) {
		mine[c.ID] = true
	}
	for _, res := range r.Results {
		if !mine[res.ID] {
			continue
		}
		what := strings.Join(res.Seen, ", then ")
		if res.Outcome == f.outcome && seen.MatchString(what) {
			n++
		} else {
			others = append(others, fmt.Sprintf("%s %s %s: %s", res.Outcome, res.ID, res.Title, what))
		}
	}
	if n < f.least {
		t.Errorf("%s: told of %d cases, not %d; the others: %s", f.about, n, f.least, strings.Join(others, "\n"))
	}
}

// TestPanicsAreTold counts the panics of gws at lengths with their top bit set.
func TestPanicsAreTold(t *testing.T) {
	s := &gwsServer{limit: maxMessage}
	r, err := conformance.Run(t.Context(), conformance.Options{URL: serve(t, s.ServeHTTP), Match: hugeFrame.cases})
	if err != nil {
		t.Fatal(err)
	}
	if n := s.panics.Load(); n != 2 || r.Passed(true) {
		t.Errorf("%d panics, %v", n, r.Counts)
	}
}

func TestFaultsOfClients(t *testing.T) {
	for _, c := range []struct {
		name   string
		run    client
		faults []fault
	}{
		{"gorilla", gorillaClient, []fault{
			lateText, hugeFrame,
			{"takes extensions and subprotocols that it did not ask for", "6455-4.1-22,6455-4.1-23", failed, `hello`, 2},
			{"needs client_no_context_takeover, which is a hint", "7692-5.1-01,7692-7.1.1.1-01", failed, `^line closed$`, 2},
		}},
		{"coder", coderClient, []fault{
			lateText, hugeFrame, finals,
			{"takes masked frames", "6455-5.1-*", failed, `message|pong`, 3},
			{"takes impossible answers", "impossible answer", failed, `hello`, 6},
			{"sends back a close reason that is not UTF-8", "close reason that is not", failed, `breach by the peer: close reason that is not UTF-8`, 48},
		}},
		{"gobwas", gobwasClient, []fault{
			{"fails inside a frame, without a close frame", "noticed before the frame ends", lax, `^line closed$`, 39},
			{"answers bad close frames without a mask", "close reason that is not", failed, `unmasked frame from a client`, 48},
		}},
		{"gws", gwsClient, []fault{
			lateText, hugeFrame, finals,
			{"takes extensions and subprotocols that it did not ask for", "6455-4.1-22,6455-4.1-23", failed, `hello`, 2},
			{"takes impossible answers", "impossible answer", failed, `.`, 15},
			{"delivers frames with RSV2 and RSV3", "on a binary message that is good otherwise", failed, `binary message of 5 bytes "hello"`, 3},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := judgeClient(t, conformance.Options{Match: together(t, conformance.Client, c.faults), Deadline: 5 * time.Second}, c.run)
			for _, f := range c.faults {
				f.holds(t, r)
			}
		})
	}
}
