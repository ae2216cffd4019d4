package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/rolemgr/rolemgr/bench/report"
)

// page is how the results of one comparison are kept: the results themselves, the page and its plot, under one name.
type page struct {
	name     string
	markdown func(*report.Data) string
	plot     func(*report.Data) string
}

// enginePage, staticPage and proxyPage are those of run, static and proxy.
func enginePage() page { return page{"benchmark", report.Markdown, report.SVG} }
func staticPage() page { return page{"benchmark-static", report.StaticMarkdown, report.StaticSVG} }
func proxyPage() page  { return page{"benchmark-proxy", report.ProxyMarkdown, report.ProxySVG} }

// save writes everything.
func (p page) save(d *report.Data, dir string) error {
	b, err := d.Encode()
	if err != nil {
		return err
	}
	return errors.Join(write(dir, p.name+".json", b), p.write(d, dir))
}

// write writes page and plot.
func (p page) write(d *report.Data, dir string) error {
	return errors.Join(
		write(dir, p.name+".md", []byte(p.markdown(d))),
		write(dir, p.name+".svg", []byte(p.plot(d))),
	)
}

// measure runs a comparison, which saves as it goes, and tells what came of it.
func (p page) measure(run func() (*report.Data, error), dir string, log io.Writer) error {
	d, err := run()
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "wrote %[1]s.json, %[1]s.md and %[1]s.svg to %[2]s\n", p.name, dir)
	if n := len(d.Failures()); n > 0 {
		return fmt.Errorf("%d of %d runs failed; the page names them", n, len(d.Runs))
	}
	return nil
}

// draw is the command that writes page and plot from stored results.
func (p page) draw(command string, args []string, log io.Writer) error {
	f := flag.NewFlagSet(command, flag.ContinueOnError)
	f.SetOutput(log)
	dir := f.String("out", "../docs", "`folder` to write to")
	if err := f.Parse(args); err != nil {
		return err
	}
	d, err := report.Read(f.Args())
	if err != nil {
		return err
	}
	return p.write(d, *dir)
}
