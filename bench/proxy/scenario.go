// Package proxy compares WebSocket proxies: rolemgr as a tunnel and as a relay, nginx, HAProxy and Caddy, each in front
// of an echo application of its own, which is the same program everywhere and is not measured.
package proxy

import (
	"fmt"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/bench/load"
)

// small is the payload of a small message: the longest whose frame has the shortest header (RFC 6455, section 5.2).
const small = 125

// idleRest is how long connections do nothing before the memory of a proxy is looked at.
const idleRest = 3 * time.Second

// Scenarios returns all scenarios in the order of the report.
func Scenarios() []load.Scenario {
	echo := func(name, about string, conns, depth, size int) load.Scenario {
		return load.Scenario{Name: name, About: about, Unit: "message", Conns: conns, Depth: depth, Size: size}
	}
	large := echo("1m", "16 connections, 1 in flight, 1 MiB", 16, 1, 1<<20)
	large.Ahead = 64 // four on each connection: who holds whole messages takes memory for the first ones
	return []load.Scenario{
		echo("p1", "100 connections, 1 in flight, 125 B", 100, 1, small),
		echo("k1", "1,000 connections, 1 in flight, 125 B", 1000, 1, small),
		echo("p16", "100 connections, 16 in flight, 125 B", 100, 16, small),
		echo("16k", "100 connections, 1 in flight, 16 KiB", 100, 1, 16<<10),
		large,
		{Name: "connect", About: "opening and closing handshake, 32 at a time", Unit: "connection", Kind: load.Connect, Conns: 32},
		{Name: Idle, About: "memory of 5,000 idle connections", Unit: "connection", Kind: load.IdleMemory, Conns: 5000, Depth: 1, Size: small, Rest: idleRest},
	}
}

// Idle is the scenario of idle connections.
const Idle = "idle"

// ChooseScenarios returns the named scenarios, all when names is empty.
func ChooseScenarios(names string) ([]load.Scenario, error) {
	if names == "" {
		return Scenarios(), nil
	}
	var chosen []load.Scenario
	for name := range strings.SplitSeq(names, ",") {
		n := len(chosen)
		for _, s := range Scenarios() {
			if s.Name == name {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == n {
			return nil, fmt.Errorf("there is no scenario %q; \"bench list\" shows them", name)
		}
	}
	return chosen, nil
}
