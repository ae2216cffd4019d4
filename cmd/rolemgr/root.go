package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/wizard"
	"github.com/spf13/cobra"
)

// cli is one run of the program: the world, the global flags, and what is made of them at first use.
type cli struct {
	*env
	line     string // the command line, for the journal and for whoever waits for the lock
	homeFlag string
	// homeGiven tells whether --home was on the command line.
	homeGiven func() bool
	json      bool
	jsonDone  bool // the one JSON object has been printed

	home string
	cat  *features.Catalog
}

// execute runs one command line and returns its exit code. It never ends the process.
func execute(ctx context.Context, e *env, args []string) ExitCode {
	// A command line that cannot be parsed is answered in JSON too.
	world, out := *e, &output{w: e.Out}
	world.Out = out
	c := &cli{env: &world, json: slices.Contains(args, "--json"), line: strings.Join(append([]string{"rolemgr"}, args...), " ")}
	root := newRootCommand(c)
	root.SetArgs(windowsSpelling(args))
	root.SetIn(c.In)
	root.SetOut(c.Out)
	root.SetErr(c.Err)
	err := root.ExecuteContext(ctx)
	code := codeOf(err, ctx.Err() != nil)
	if err != nil {
		c.reportError(err, code)
	}
	if lost := out.lost(); lost != nil && code == ExitDone {
		c.note("error: the result could not be written: %v", lost)
		return ExitFailed
	}
	return code
}

func newRootCommand(c *cli) *cobra.Command {
	root := &cobra.Command{
		Use:   "rolemgr",
		Short: "Server Manager for one bundled web server",
		Long: `rolemgr is Server Manager for one bundled web server.

Everything the server can do is a feature that is off until it is installed. Every change is planned, proven by a real
request against the server, undone if it fails, and cuts no connection that it did not announce.

  rolemgr list                        the tree of roles, role services and features
  rolemgr install websocket --serve   install the WebSocket Protocol and serve`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          c.noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runWizard(cmd.Context(), c, wizard.ServerManager, false)
		},
	}
	root.SetHelpTemplate(helpTemplate())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		message, _, _ := strings.Cut(err.Error(), ": strconv.") // what the parser calls itself helps nobody
		return &usageError{message, fmt.Sprintf("%q lists the flags", cmd.CommandPath()+" --help")}
	})
	f := root.PersistentFlags()
	c.homeGiven = func() bool { return f.Changed("home") }
	f.StringVar(&c.homeFlag, "home", "", "home folder of the server (default: ROLEMGR_HOME, else /var/lib/rolemgr for root, else the user's data folder)")
	f.BoolVar(&c.json, "json", c.json, "print one JSON object instead of text")
	f.Lookup("json").DefValue = "false" // what the help shows
	root.AddGroup(
		&cobra.Group{ID: "features", Title: "Features:"},
		&cobra.Group{ID: "server", Title: "The server:"},
		&cobra.Group{ID: "care", Title: "Care and repair:"},
	)
	addGroup(root, "features", newWizardCommand(c), newListCommand(c), newShowCommand(c), newInstallCommand(c), newRemoveCommand(c), newExportCommand(c))
	addGroup(root, "server", newServeCommand(c), newReloadCommand(c), newStopCommand(c), newStatusCommand(c), newSiteCommand(c),
		newAppCommand(c), newVDirCommand(c), newEndpointCommand(c), newCertCommand(c), newConnectionsCommand(c), newConfigCommand(c), newRewriteCommand(c))
	addGroup(root, "care", newVerifyCommand(c), newRecoverCommand(c), newHistoryCommand(c), newRollbackCommand(c),
		newConformanceCommand(c))
	root.AddCommand(newVersionCommand(c))
	c.addStandardCommands(root)
	return root
}

// addStandardCommands adds cobra's own commands, help and completion, with our answer to a wrong argument.
func (c *cli) addStandardCommands(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				if found, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return c.noSuchCommand(found, args[len(args)-max(1, len(rest)):])
				}
				return nil
			}
		case "completion":
			cmd.Args = c.noSuchCommand
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			for _, shell := range cmd.Commands() {
				shell.Args = argCount(0, 0, "")
			}
		}
	}
}

func addGroup(root *cobra.Command, id string, cmds ...*cobra.Command) {
	for _, cmd := range cmds {
		cmd.GroupID = id
		root.AddCommand(cmd)
	}
}

// helpTemplate is cobra's own help with the exit codes at its end.
func helpTemplate() string {
	return "{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}\n\n{{end}}" +
		"{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}\n" + exitHelp()
}

// windowsSpelling lets the switches of Install-WindowsFeature be typed as they are written there: -WhatIf.
func windowsSpelling(args []string) []string {
	out := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		name, value, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		ours := ourFlag(name)
		if !strings.HasPrefix(arg, "-") || ours == "" {
			out = append(out, arg)
			continue
		}
		if hasValue {
			ours += "=" + value
		}
		out = append(out, "--"+ours)
	}
	return out
}

// ourFlag returns our name of a parameter of Install-WindowsFeature, "" for any other text.
func ourFlag(name string) string {
	switch strings.ToLower(name) {
	case "whatif":
		return "what-if"
	case "includeallsubfeature", "includeallsubfeatures", "include-all-subfeature":
		return "include-all-subfeatures"
	case "includemanagementtools":
		return "include-management-tools"
	case "configurationfilepath":
		return "file"
	}
	return ""
}

// noSuchCommand refuses the arguments of a command that only holds others. Whoever types the name of a feature is told
// how to install it.
func (c *cli) noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	e := &usageError{message: fmt.Sprintf("unknown command %q", args[0])}
	cmd.SuggestionsMinimumDistance = 2
	var near []string
	for _, s := range cmd.SuggestionsFor(args[0]) {
		near = append(near, fmt.Sprintf("%q", cmd.CommandPath()+" "+s))
	}
	e.hint = fmt.Sprintf("%q lists the commands", cmd.CommandPath()+" --help")
	if len(near) == 0 && !cmd.HasParent() {
		if ids, err := c.ids(args[:1]); err == nil {
			near = append(near, fmt.Sprintf("%q", "rolemgr install "+string(ids[0])))
		}
	}
	if len(near) > 0 {
		e.hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return e
}

// argCount checks how many arguments a command gets; most < 0 means any number.
func argCount(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		hint := fmt.Sprintf("usage: %s", cmd.UseLine())
		if len(args) < least {
			return &usageError{fmt.Sprintf("%s needs %s", cmd.CommandPath(), what), hint}
		}
		if most >= 0 && len(args) > most {
			return &usageError{fmt.Sprintf("%s takes no argument %q", cmd.CommandPath(), args[most]), hint}
		}
		return nil
	}
}

// catalog returns the catalogue, building it at the first call.
func (c *cli) catalog() (*features.Catalog, error) {
	if c.cat == nil {
		cat, err := c.Catalog()
		if err != nil {
			return nil, fmt.Errorf("build the catalogue of features: %w", err)
		}
		c.cat = cat
	}
	return c.cat, nil
}

// homeDir returns the absolute home folder of the server.
func (c *cli) homeDir() (string, error) {
	if c.home == "" {
		if c.homeFlag == "" && c.homeGiven() {
			// Most likely a script's variable that is not set: it must not reach the server of the whole machine.
			return "", &usageError{"--home is empty", "name a folder, or leave --home out for the default"}
		}
		home, err := c.resolveHome(c.homeFlag)
		if err == nil {
			err = checkHome(home)
		}
		if err != nil {
			return "", err
		}
		c.home = home
	}
	return c.home, nil
}

// server returns the server that the command is about.
func (c *cli) server() (target.Target, error) {
	home, err := c.homeDir()
	if err != nil {
		return nil, err
	}
	cat, err := c.catalog()
	if err != nil {
		return nil, err
	}
	return c.NewTarget(target.LocalOptions{
		Home: home, Catalog: cat, Factory: c.Factory, Version: c.Version, Now: c.Now,
	}), nil
}
