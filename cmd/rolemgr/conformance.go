package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/conformance"
	"github.com/spf13/cobra"
)

type conformanceOptions struct {
	listen, agent, match string
	json, html           string
	list, strict         bool
	insecure             bool
	concurrency          int
	messageSize          int
	deadline, patience   time.Duration
	header               []string
}

func newConformanceCommand(c *cli) *cobra.Command {
	o := conformanceOptions{}
	cmd := &cobra.Command{
		Use:   "conformance URL | --listen ADDRESS | --list",
		Short: "Judge any WebSocket server or client by RFC 6455 and RFC 7692",
		Long: `Judge any WebSocket server or client by RFC 6455 and RFC 7692, case by case.

A server is named by its ws:// or wss:// address and must echo every message: same opcode, same payload. What is optional
and not offered, as compression, is skipped; matters of policy, as size limits, are informational. Every report tells of
each case what was sent, what was expected, what was seen, and the section of the RFC.

A client is judged with --listen. The client under test

  1. asks for http://ADDRESS/count, or opens a WebSocket to ws://ADDRESS/count and reads one text message: the number
     of cases N
  2. opens a WebSocket to ws://ADDRESS/case?n=1, echoes every message until the connection has ended in whatever way,
     and goes on up to n=N; several at once are fine, and a handshake that fails may be part of the case
  3. is done when every case has been run, or when http://ADDRESS/done is asked for

http://ADDRESS/report holds the report so far, http://ADDRESS/case?n=1 one case. A client that wants compression judged
offers permessage-deflate with client_max_window_bits.

Exit code 0 tells that no case failed; 1 that one did, or with --strict that one was not strict, or that the server could
not be judged at all.`,
		Example: `  rolemgr conformance ws://127.0.0.1:8080/echo
  rolemgr conformance wss://example.com/echo --case 'utf-8,6455-5.4-*' --html report.html
  rolemgr conformance --listen 127.0.0.1:9001 --agent "my client" --json -`,
		Args: argCount(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error { return runConformance(cmd.Context(), c, o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "", "judge clients that come to this address")
	f.StringVar(&o.agent, "agent", "", "name of what is judged, for the reports")
	f.StringVar(&o.match, "case", "", "run only cases whose id matches the pattern, or whose id, group or title holds the text; several with commas, those with ! left out")
	f.BoolVar(&o.list, "list", false, "list the cases and run none")
	f.BoolVar(&o.strict, "strict", false, "count non-strict as failed")
	f.StringVar(&o.json, "json", "", "write the report as JSON to a file, - for standard output")
	f.StringVar(&o.html, "html", "", "write the report as one HTML file")
	f.IntVar(&o.concurrency, "concurrency", conformance.DefaultConcurrency, "cases at once")
	f.DurationVar(&o.deadline, "deadline", conformance.DefaultDeadline, "how long nothing may move on the line before a case is given up")
	f.DurationVar(&o.patience, "patience", conformance.DefaultPatience, "how long to wait for a reaction in the middle of something")
	f.IntVar(&o.messageSize, "message-size", 0, "greatest message in bytes that the endpoint is set to take: its limit is tried from both sides")
	f.StringArrayVar(&o.header, "header", nil, "send \"Name: value\" with each opening handshake; may be repeated")
	f.BoolVar(&o.insecure, "insecure", false, "do not verify the certificate of a wss:// server")
	return cmd
}

func runConformance(ctx context.Context, c *cli, o conformanceOptions, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	if o.list {
		return listCases(c, o)
	}
	opt := conformance.Options{
		Agent: o.agent, Match: o.match, Concurrency: o.concurrency, Deadline: o.deadline, Patience: o.patience,
		MessageSize: o.messageSize,
		Header:      http.Header{}, Progress: c.conformanceProgress(),
	}
	for _, line := range o.header {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(line, "\r\n") {
			return &usageError{fmt.Sprintf("%q is no header field", line), "write it as --header \"Origin: https://example.com\""}
		}
		opt.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if o.insecure {
		opt.TLS = &tls.Config{InsecureSkipVerify: true} // asked for: what is judged is the protocol inside
	}
	report, err := judgeEndpoint(ctx, c, opt, o.listen, args)
	switch {
	case errors.Is(err, conformance.ErrNoCase):
		return &usageError{err.Error(), "\"rolemgr conformance --list\" shows every case"}
	case err != nil:
		return err
	}
	return writeConformance(c, o, report)
}

// check refuses what cannot be meant.
func (o conformanceOptions) check(args []string) error {
	hint := "\"rolemgr conformance --help\" shows examples"
	switch n := len(args); {
	case o.list && (n > 0 || o.listen != ""):
		return &usageError{"--list runs nothing and takes no address", hint}
	case !o.list && n == 0 && o.listen == "":
		return &usageError{"what is to be judged? Name a server, or --listen for clients", hint}
	case n > 0 && o.listen != "":
		return &usageError{"a server's address and --listen exclude one another", hint}
	case n > 0 && !strings.HasPrefix(args[0], "ws://") && !strings.HasPrefix(args[0], "wss://"):
		return &usageError{fmt.Sprintf("%q is no address of a WebSocket server", args[0]), "it begins with ws:// or wss://"}
	case o.messageSize < 0:
		return &usageError{"--message-size is not negative", hint}
	case o.concurrency < 1 || o.deadline <= 0 || o.patience <= 0:
		return &usageError{"--concurrency, --deadline and --patience are greater than zero", hint}
	}
	return nil
}

// judgeEndpoint judges a server, or clients that come.
func judgeEndpoint(ctx context.Context, c *cli, opt conformance.Options, listen string, args []string) (*conformance.Report, error) {
	if listen == "" {
		opt.URL = args[0]
		return conformance.Run(ctx, opt)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, err
	}
	c.note("the client under test asks for http://%s/count, then opens ws://%s/case?n=1 and so on", ln.Addr(), ln.Addr())
	return conformance.Serve(ctx, ln, opt)
}

// conformanceProgress tells how far a run is, on a terminal only.
func (c *cli) conformanceProgress() func(int, int, conformance.Result) {
	if !c.ErrTTY || c.Getenv("TERM") == "dumb" {
		return nil
	}
	return func(done, all int, _ conformance.Result) {
		fmt.Fprintf(c.Err, "\r%d of %d cases", done, all)
		if done == all {
			fmt.Fprint(c.Err, "\r\x1b[K")
		}
	}
}

// writeConformance writes the reports and turns the outcome into the exit code.
func writeConformance(c *cli, o conformanceOptions, r *conformance.Report) error {
	if o.json != "-" {
		if err := r.WriteText(c.Out, o.strict); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{{o.json, r.WriteJSON}, {o.html, r.WriteHTML}} {
		if f.name == "" {
			continue
		}
		if err := writeReport(c.Out, f.name, f.write); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	if !r.Passed(o.strict) {
		return &silentError{ExitFailed}
	}
	return nil
}

// writeReport writes to a file, or to standard output for "-".
func writeReport(out io.Writer, name string, write func(io.Writer) error) error {
	if name == "-" {
		return write(out)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// listCases prints the cases, those for clients alone marked.
func listCases(c *cli, o conformanceOptions) error {
	seen := 0
	for _, k := range conformance.Cases() {
		if !k.Matches(o.match) {
			continue
		}
		who := "both"
		if !k.Judges(conformance.Client) {
			who = "server"
		} else if !k.Judges(conformance.Server) {
			who = "client"
		}
		seen++
		if _, err := fmt.Fprintf(c.Out, "%-16s %-7s %s: %s\n", k.ID, who, k.Group, k.Title); err != nil {
			return err
		}
	}
	if seen == 0 {
		return &usageError{fmt.Sprintf("no case matches %q", o.match), "without --case all are listed"}
	}
	return nil
}
