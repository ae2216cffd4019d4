package main

import (
	"errors"
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
	c.Save = func(d *report.Data) error {
		b, err := d.Encode()
		if err != nil {
			return err
		}
		return errors.Join(write(*dir, "benchmark-static.json", b), staticPages(d, *dir))
	}
	d, err := c.Run()
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "wrote benchmark-static.json, benchmark-static.md and benchmark-static.svg to %s\n", *dir)
	if n := len(d.Failures()); n > 0 {
		return fmt.Errorf("%d of %d runs failed; the page names them", n, len(d.Runs))
	}
	return nil
}

// drawStatic writes page and plot from stored results.
func drawStatic(args []string, log io.Writer) error {
	f := flag.NewFlagSet("draw-static", flag.ContinueOnError)
	f.SetOutput(log)
	dir := f.String("out", "../docs", "`folder` to write to")
	if err := f.Parse(args); err != nil {
		return err
	}
	d, err := report.Read(f.Args())
	if err != nil {
		return err
	}
	return staticPages(d, *dir)
}

// staticPages writes page and plot.
func staticPages(d *report.Data, dir string) error {
	return errors.Join(
		write(dir, "benchmark-static.md", []byte(report.StaticMarkdown(d))),
		write(dir, "benchmark-static.svg", []byte(report.StaticSVG(d))),
	)
}
