package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"
)

func newConfigCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Look at configuration files and change them",
		Args:  c.noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigCheckCommand(c), newConfigShowCommand(c))
	cmd.AddCommand(configEditCommands(c)...)
	return cmd
}

func newConfigCheckCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "check SITE_DIR|FILE",
		Short: "Tell what a web.config, or all of them below a folder, means here",
		Long: `Tell what a web.config, or all of them below a folder, means here.

Every element and attribute is honoured, needs a feature (named with the command that installs it), is not supported
(with what to use instead), is accepted without effect, is ignored (sections of the .NET Framework and the like, never
printed), or is a fault, which the server answers with error 500.19. The files are judged by everything that this
version can install and by what is installed on the server at hand; where nothing is installed, by what the first
installation brings. Nothing is started and nothing is changed.

Inherited entries and locks count: a folder of a declared site is judged in its place, any other as the root of a site.
Folders of tools (node_modules, bower_components, .git, .hg, .svn, .vs, .vscode, .idea) are not looked into; name one to
check it. The exit code is 0 when the server takes the files as they are, else 1.`,
		Example: "  rolemgr config check /srv/www/site\n  rolemgr config check web.config --json",
		Args:    argCount(1, 1, "a folder or a file"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runConfigCheck(cmd.Context(), c, args[0]) },
	}
}

func runConfigCheck(ctx context.Context, c *cli, path string) error {
	j, err := c.newJudge(ctx)
	if err != nil {
		return err
	}
	res, err := j.check(path)
	if err != nil {
		return err
	}
	if err := c.print(res, func(w io.Writer) { c.writeCheck(w, res) }); err != nil {
		return err
	}
	if !res.OK {
		return &silentError{ExitFailed}
	}
	return nil
}
