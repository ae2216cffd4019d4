package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/devcert"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/spf13/cobra"
)

// certDevResult is what `rolemgr cert dev --json` prints.
type certDevResult struct {
	Version      int       `json:"version"`
	Changed      bool      `json:"changed"`
	NewAuthority bool      `json:"new_authority"`
	Authority    string    `json:"authority"`
	Certificate  string    `json:"certificate"`
	Key          string    `json:"key"`
	Names        []string  `json:"names"`
	NotAfter     time.Time `json:"not_after"`
}

type certDevOptions struct {
	renew bool
	wait  time.Duration
}

func newCertDevCommand(c *cli) *cobra.Command {
	o := certDevOptions{}
	cmd := &cobra.Command{
		Use:   "dev [NAME...]",
		Short: "Make a certificate for development",
		Long: `Make a certificate for localhost and the names, signed by a local authority that is made once. Names add up: what the
certificate was for before, it stays for. Nothing is installed into the trust stores of this machine; the command tells how to.

Everything lies in certificates/dev below the home folder. Whoever reads authority-key.pem can pretend to be any site to
those who trust the authority: it is for one machine, and for development.`,
		Example: "  rolemgr cert dev\n  rolemgr cert dev shop.localhost api.localhost 192.0.2.7\n  rolemgr cert dev --renew",
		Args:    argCount(0, -1, ""),
		RunE:    func(cmd *cobra.Command, args []string) error { return runCertDev(cmd.Context(), c, args, o) },
	}
	cmd.Flags().BoolVar(&o.renew, "renew", false, "a new key and another year, for the same names")
	cmd.Flags().DurationVar(&o.wait, "wait", 0, "how long to wait for another rolemgr to finish, as in 30s")
	return cmd
}

// devStore is the folder with the authority and the certificate. c.home is set.
func (c *cli) devStore() devcert.Store {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return devcert.Store{Dir: c.devDir(), Server: host, Now: c.Now, FS: atomicfile.OS{}}
}

func runCertDev(ctx context.Context, c *cli, names []string, o certDevOptions) error {
	for _, n := range names {
		if err := devcert.CheckName(n); err != nil {
			return &usageError{err.Error(), "write the name alone, as in shop.localhost"}
		}
	}
	t, err := c.openToWrite(ctx, false)
	if err != nil {
		return err
	}
	if err := c.servable(ctx, t); err != nil {
		return err
	}
	unlock, err := state.NewStore(c.home, atomicfile.OS{}, c.Factory).Lock(c.line, o.wait)
	if err != nil {
		return err
	}
	defer unlock()
	store := c.devStore()
	got, err := store.Issue(names, o.renew)
	if err == nil {
		err = c.giveToServer(filepath.Dir(store.Dir), store.Dir)
	}
	if err != nil {
		return err
	}
	res := certDevResult{
		Version: 1, Changed: got.Changed, NewAuthority: got.NewAuthority, Authority: got.Authority, Certificate: got.Certificate, Key: got.Key,
		Names: got.Names, NotAfter: got.NotAfter,
	}
	return c.print(res, func(w io.Writer) { writeCertDev(w, res) })
}

// giveToServer gives what root made in folders of the home to the account that the home belongs to.
func (c *cli) giveToServer(dirs ...string) error {
	info, err := os.Stat(c.home)
	if err != nil {
		return fmt.Errorf("look at the home folder: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || c.EUID != 0 || st.Uid == 0 {
		return nil
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("give the certificate to the account of the server: %w", err)
		}
		all := []error{os.Lchown(dir, int(st.Uid), int(st.Gid))}
		for _, e := range entries {
			if e.Type().IsRegular() && dir == c.devDir() {
				all = append(all, os.Lchown(filepath.Join(dir, e.Name()), int(st.Uid), int(st.Gid)))
			}
		}
		if err := errors.Join(all...); err != nil {
			return fmt.Errorf("give the certificate to the account of the server: %w", err)
		}
	}
	return nil
}

func writeCertDev(w io.Writer, r certDevResult) {
	if r.NewAuthority {
		fmt.Fprintf(w, "authority   %s (new)\n", r.Authority)
	} else {
		fmt.Fprintf(w, "authority   %s\n", r.Authority)
	}
	state := "is there already"
	if r.Changed {
		state = "new"
	}
	fmt.Fprintf(w, "certificate %s (%s)\nkey         %s\nfor         %s\nuntil       %s\n", r.Certificate, state, r.Key, strings.Join(r.Names, ", "), r.NotAfter.UTC().Format(time.DateOnly))
	fmt.Fprintf(w, `
Let this machine trust the authority, once:
  system    sudo cp %[1]s /usr/local/share/ca-certificates/rolemgr-dev.crt && sudo update-ca-certificates
  Chromium  mkdir -p $HOME/.pki/nssdb && certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n rolemgr-dev -i %[1]s
  curl      curl --cacert %[1]s https://localhost/
  Node.js   NODE_EXTRA_CA_CERTS=%[1]s

Give the certificate to a site:
  rolemgr site bind "Default Web Site" --https --port 8443 --cert %[2]s --key %[3]s
`, r.Authority, r.Certificate, r.Key)
}
