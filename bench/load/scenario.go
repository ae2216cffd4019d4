package load

import (
	"fmt"
	"strings"
	"time"
)

// Kind is the way a scenario uses its connections.
type Kind uint8

// The kinds of scenarios.
const (
	Echo       Kind = iota // each message comes back
	Broadcast              // each message of one connection goes to all
	Connect                // opening and closing handshake, and no message
	Deflate                // echo with permessage-deflate
	IdleMemory             // connections that do nothing
)

// Scenario is one thing to measure.
type Scenario struct {
	Name  string // short, for flags and tables
	About string // what it does, for people
	Unit  string // what is counted: a message, a delivery, a connection
	Kind  Kind
	Conns int
	Depth int // messages in flight on each connection
	Size  int // bytes of payload
	// Sliding sends one message for each that returns; otherwise the next Depth go out when the last Depth are in.
	Sliding bool
	// Takeover keeps the compression context between messages.
	Takeover bool
	// Bits is the logarithm of the compression window's size; 0 means 15.
	Bits int
	// Offer is the extension offered in the opening handshake.
	Offer string
	// Ahead is how many messages go ahead unmeasured, beside the time that does.
	Ahead uint64
	// Rest is how long connections do nothing before memory is looked at; 0 means a second.
	Rest time.Duration
}

// Scenarios returns all scenarios in the order of the report.
func Scenarios() []Scenario {
	const none = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	echo := func(name, about string, conns, depth, size int, sliding bool) Scenario {
		return Scenario{Name: name, About: about, Unit: "message", Conns: conns, Depth: depth, Size: size, Sliding: sliding}
	}
	return []Scenario{
		echo("p1", "echo, 100 connections, 1 in flight, 128 B", 100, 1, 128, false),
		echo("k1", "echo, 1,000 connections, 1 in flight, 128 B", 1000, 1, 128, false),
		echo("p16", "echo, 100 connections, 16 in flight in lockstep, 128 B", 100, 16, 128, false),
		echo("p16s", "echo, 100 connections, 16 in flight sliding, 128 B", 100, 16, 128, true),
		echo("16k", "echo, 100 connections, 1 in flight, 16 KiB", 100, 1, 16<<10, false),
		echo("1m", "echo, 16 connections, 1 in flight, 1 MiB", 16, 1, 1<<20, false),
		{Name: "broadcast", About: "broadcast to 1,000 connections, 128 B", Unit: "delivery", Kind: Broadcast, Conns: 1000, Depth: 1, Size: 128},
		{Name: "connect", About: "opening and closing handshake, 32 at a time", Unit: "connection", Kind: Connect, Conns: 32},
		{Name: "nct", About: "permessage-deflate, no takeover, 100 connections, JSON", Unit: "message", Kind: Deflate, Conns: 100, Depth: 1, Size: 1024, Offer: none},
		{Name: "ct", About: "permessage-deflate, takeover, 100 connections, JSON", Unit: "message", Kind: Deflate, Conns: 100, Depth: 1, Size: 1024, Takeover: true, Offer: "permessage-deflate"},
		{Name: "ct12", About: "as ct, with windows of 4 KiB", Unit: "message", Kind: Deflate, Conns: 100, Depth: 1, Size: 1024, Takeover: true, Bits: 12, Offer: "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"},
		{Name: "idle", About: "memory of idle connections, 19,000 of them, before and after an echo of 4 KiB on each", Unit: "connection", Kind: IdleMemory, Conns: 19000, Depth: 1, Size: 4 << 10},
	}
}

// Choose returns the scenarios named in a comma-separated list, in the list's order; all when it is empty.
func Choose(names string) ([]Scenario, error) {
	all := Scenarios()
	if names == "" {
		return all, nil
	}
	var chosen []Scenario
	for name := range strings.SplitSeq(names, ",") {
		found := false
		for _, s := range all {
			if s.Name == strings.TrimSpace(name) {
				chosen, found = append(chosen, s), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(scenarioNames(all), ", "))
		}
	}
	return chosen, nil
}

// scenarioNames returns the names of scenarios.
func scenarioNames(all []Scenario) []string {
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names
}
