package main

import (
	"flag"
	"fmt"
	"io"

	"github.com/rolemgr/rolemgr/bench/proxy"
	"github.com/rolemgr/rolemgr/bench/report"
)

// proxies compares WebSocket proxies.
func proxies(args []string, log io.Writer) error {
	f := flag.NewFlagSet("proxy", flag.ContinueOnError)
	f.SetOutput(log)
	scenarios := f.String("scenarios", "", "comma-separated `names`; all when empty")
	servers := f.String("servers", "", "comma-separated `names`; all when empty")
	c := proxy.Config{Log: log}
	f.IntVar(&c.Rounds, "rounds", 11, "runs of each proxy and scenario")
	f.IntVar(&c.IdleRounds, "idle-rounds", 3, "rounds in which the memory of idle connections is measured")
	f.Float64Var(&c.Seconds, "seconds", 0.4, "measured time of a run")
	f.StringVar(&c.Program, "program", "", "the `file` of rolemgr; built when empty")
	dir := f.String("out", "../docs", "`folder` to write to")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("proxy takes no argument %q", f.Arg(0))
	}
	var err error
	if c.Scenarios, err = proxy.ChooseScenarios(*scenarios); err != nil {
		return err
	}
	if c.Servers, err = proxy.Choose(*servers); err != nil {
		return err
	}
	c.Save = func(d *report.Data) error { return proxyPage().save(d, *dir) }
	return proxyPage().measure(c.Run, *dir, log)
}
