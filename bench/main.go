// Command bench compares the WebSocket engine with others: what a message, a connection and a handshake cost the
// server. It runs on Linux with two processors.
//
//	bench run [flags]         run the benchmark; write benchmark.json, benchmark.md and benchmark.svg
//	bench draw [flags] FILE   write page and plot again from results; several files are joined
//	bench static [flags]      compare static files of rolemgr, nginx, Caddy and Apache; write benchmark-static.*
//	bench draw-static FILE    write its page and plot again
//	bench proxy [flags]       compare rolemgr, nginx, HAProxy and Caddy as WebSocket proxies; write benchmark-proxy.*
//	bench draw-proxy FILE     write its page and plot again
//	bench list                name the scenarios and the servers
//	bench serve [flags] NAME  be one of the servers; "bench run" uses this
//
// Anything else that uses the processors while it runs falsifies it; each run's line and table row say how much that was.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rolemgr/rolemgr/bench/load"
	"github.com/rolemgr/rolemgr/bench/proxy"
	"github.com/rolemgr/rolemgr/bench/report"
	"github.com/rolemgr/rolemgr/bench/rounds"
	"github.com/rolemgr/rolemgr/bench/server"
	"github.com/rolemgr/rolemgr/bench/web"
)

func main() {
	if err := command(os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		os.Exit(1)
	}
}

// command carries out a command line.
func command(args []string, in io.Reader, out, log io.Writer) error {
	if len(args) == 0 {
		return errors.New("say what to do: run, draw, static, draw-static, proxy, draw-proxy, list or serve (\"bench run -h\" shows the flags of run)")
	}
	switch args[0] {
	case "run":
		return run(args[1:], log)
	case "draw":
		return enginePage().draw("draw", args[1:], log)
	case "static":
		return static(args[1:], log)
	case "floor": // one of the servers of static
		return web.Floor(args[1:])
	case "draw-static":
		return staticPage().draw("draw-static", args[1:], log)
	case "proxy":
		return proxies(args[1:], log)
	case "app": // the application behind the proxies
		return proxy.App(args[1:])
	case "draw-proxy":
		return proxyPage().draw("draw-proxy", args[1:], log)
	case "list":
		return list(out)
	case "serve":
		return serve(args[1:], in, out, log)
	}
	return fmt.Errorf("there is no command %q; there are run, draw, static, draw-static, proxy, draw-proxy, list and serve", args[0])
}

// run runs the benchmark.
func run(args []string, log io.Writer) error {
	f := flag.NewFlagSet("run", flag.ContinueOnError)
	f.SetOutput(log)
	scenarios := f.String("scenarios", "", "comma-separated `names`; all when empty")
	servers := f.String("servers", "", "comma-separated `names`; all when empty")
	c := rounds.Config{Log: log}
	f.IntVar(&c.Rounds, "rounds", 5, "runs of each server and scenario")
	f.Float64Var(&c.Seconds, "seconds", 2, "measured time of a run")
	f.IntVar(&c.Retries, "retries", 2, "how often to repeat a run that was disturbed")
	f.StringVar(&c.NodeDir, "node", "node", "`folder` of the node server")
	dir := f.String("out", "../docs", "`folder` to write to")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("run takes no argument %q", f.Arg(0))
	}
	var err error
	if c.Scenarios, err = load.Choose(*scenarios); err != nil {
		return err
	}
	chosen, err := server.Choose(*servers)
	if err != nil {
		return err
	}
	for _, s := range chosen {
		if err := c.Available(s); err != nil {
			if *servers != "" {
				return err
			}
			fmt.Fprintf(log, "going on without %s: %v\n", s.Name, err)
			continue
		}
		c.Servers = append(c.Servers, s)
	}
	c.Save = func(d *report.Data) error { return enginePage().save(d, *dir) }
	return enginePage().measure(c.Run, *dir, log)
}

// write writes a file into a folder that need not exist yet.
func write(dir, name string, content []byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// list names what there is.
func list(out io.Writer) error {
	fmt.Fprintln(out, "scenarios:")
	for _, s := range load.Scenarios() {
		fmt.Fprintf(out, "  %-18s %s\n", s.Name, s.About)
	}
	fmt.Fprintln(out, "servers:")
	for _, s := range server.All() {
		fmt.Fprintf(out, "  %-18s %s\n", s.Name, s.About)
	}
	fmt.Fprintln(out, "scenarios of static:")
	for _, s := range web.Scenarios() {
		fmt.Fprintf(out, "  %-18s %s\n", s.Name, s.About)
	}
	fmt.Fprintln(out, "servers of static:")
	for _, s := range web.Servers() {
		fmt.Fprintf(out, "  %-18s %s\n", s.Name, s.About)
	}
	fmt.Fprintln(out, "scenarios of proxy:")
	for _, s := range proxy.Scenarios() {
		fmt.Fprintf(out, "  %-18s %s\n", s.Name, s.About)
	}
	fmt.Fprintln(out, "proxies:")
	for _, s := range proxy.Servers() {
		fmt.Fprintf(out, "  %-18s %s\n", s.Name, s.About)
	}
	return nil
}

// serve is one of the servers.
func serve(args []string, in io.Reader, out, log io.Writer) error {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	f.SetOutput(log)
	text := f.String("mode", "plain", "`mode` of compression: plain, nct (no context takeover) or ct")
	if err := f.Parse(args); err != nil {
		return err
	}
	m, err := server.ParseMode(*text)
	if err != nil {
		return err
	}
	if f.NArg() != 1 {
		return errors.New("serve needs the name of one server; \"bench list\" shows them")
	}
	chosen, err := server.Choose(f.Arg(0))
	if err != nil {
		return err
	}
	if len(chosen) != 1 {
		return errors.New("serve needs the name of one server")
	}
	return server.Run(chosen[0], m, in, out)
}
