package main

import (
	"flag"
	"fmt"
	"io"

	"github.com/rolemgr/rolemgr/bench/report"
	"github.com/rolemgr/rolemgr/bench/web"
)

// static compares how servers send static files.
func static(args []string, log io.Writer) error {
	f := flag.NewFlagSet("static", flag.ContinueOnError)
	f.SetOutput(log)
	scenarios := f.String("scenarios", "", "comma-separated `names`; all when empty")
	servers := f.String("servers", "", "comma-separated `names`; all when empty")
	c := web.Config{Log: log}
	f.IntVar(&c.Rounds, "rounds", 11, "runs of each server and scenario")
	f.Float64Var(&c.Seconds, "seconds", 0.4, "measured time of a run")
	f.StringVar(&c.Program, "program", "", "the `file` of rolemgr; built when empty")
	dir := f.String("out", "../docs", "`folder` to write to")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("static takes no argument %q", f.Arg(0))
	}
	var err error
	if c.Scenarios, err = web.ChooseScenarios(*scenarios); err != nil {
		return err
	}
	if c.Servers, err = web.Choose(*servers); err != nil {
		return err
	}
	c.Save = func(d *report.Data) error { return staticPage().save(d, *dir) }
	return staticPage().measure(c.Run, *dir, log)
}
