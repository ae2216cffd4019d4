package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/spf13/cobra"
)

// certRow is a certificate as it lies on disk.
type certRow struct {
	wshost.CertificateInfo
	Bindings []string `json:"bindings"` // "https/*:443:a.example"
	Expiry   string   `json:"expiry,omitempty"`
	Problem  string   `json:"problem,omitempty"`
	Hint     string   `json:"hint,omitempty"`
}

type certListResult struct {
	Version      int       `json:"version"`
	OK           bool      `json:"ok"`
	Certificates []certRow `json:"certificates"`
}

func newCertCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cert",
		Short: "Certificates of https bindings: list them, make one for development",
		Args:  c.noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCertListCommand(c), newCertDevCommand(c))
	return cmd
}

func newCertListCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the certificates of the https bindings, and the one for development",
		Long: `List the certificates that https bindings name and the one for development, as they lie on disk: what they are for, until
when, and what is wrong with them. Exit code 1 tells that one cannot be used or has expired.`,
		Args: argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runCertList(cmd.Context(), c) },
	}
}

func runCertList(ctx context.Context, c *cli) error {
	s, err := c.openConfig(ctx)
	if err != nil {
		return err
	}
	res := certListResult{Version: 1, OK: true, Certificates: c.certificatesOf(s.tree.Sites())}
	_, cert, key := c.devStore().Files()
	if exists(cert) && !slices.ContainsFunc(res.Certificates, func(r certRow) bool { return r.File == cert }) {
		res.Certificates = append(res.Certificates, c.certificate(cert, key))
	}
	for _, r := range res.Certificates {
		res.OK = res.OK && r.Problem == "" && (r.NotAfter.IsZero() || c.Now().Before(r.NotAfter))
	}
	err = c.print(res, func(w io.Writer) {
		writeCertificates(w, res.Certificates)
		if len(res.Certificates) == 0 {
			fmt.Fprintln(w, "There is no certificate. \"rolemgr cert dev\" makes one for development.")
		}
	})
	if err == nil && !res.OK {
		err = &silentError{ExitFailed}
	}
	return err
}

// certificate reads a certificate as it lies there.
func (c *cli) certificate(cert, key string) certRow {
	row := certRow{Bindings: []string{}}
	var err error
	if row.CertificateInfo, err = wshost.ReadCertificate(cert, key); err != nil {
		row.Problem, row.Hint = err.Error(), hintFor(err)
	}
	row.Expiry = row.CertificateInfo.Expiry(c.Now())
	return row
}

// certificatesOf reads the certificates that the bindings of sites name, in the order of the sites.
func (c *cli) certificatesOf(sites []config.Site) []certRow {
	rows := []certRow{}
	for _, site := range sites {
		for _, b := range site.Bindings {
			if b.Protocol != protocolHTTPS || b.CertificateFile == "" {
				continue
			}
			cert, key := wshost.CertificateFiles(b)
			i := slices.IndexFunc(rows, func(r certRow) bool { return r.File == cert && r.KeyFile == key })
			if i < 0 {
				i = len(rows)
				rows = append(rows, c.certificate(cert, key))
			}
			rows[i].Bindings = append(rows[i].Bindings, b.Protocol+"/"+b.Info)
		}
	}
	return rows
}

func writeCertificates(w io.Writer, rows []certRow) {
	for _, r := range rows {
		writeCertificate(w, r.CertificateInfo, r.Bindings, r.Expiry, r.Problem, r.Hint)
	}
}

// writeCertificate writes a certificate in the words of every list.
func writeCertificate(w io.Writer, i wshost.CertificateInfo, bindings []string, expiry, problem, hint string) {
	fmt.Fprintf(w, "certificate %s\n", i.File)
	if len(bindings) > 0 {
		fmt.Fprintf(w, "       of %s\n", strings.Join(bindings, " "))
	}
	if !i.NotAfter.IsZero() {
		fmt.Fprintf(w, "       %s, for %s, until %s\n", i.Subject, strings.Join(i.Names, ", "), i.NotAfter.UTC().Format(time.DateOnly))
	}
	if expiry != "" {
		fmt.Fprintf(w, "       %s\n", expiry)
	}
	if problem != "" {
		fmt.Fprintf(w, "       cannot be used: %s\n", problem)
	}
	if hint != "" {
		fmt.Fprintf(w, "       hint: %s\n", hint)
	}
}

// devDir is the folder of the certificates for development, below the central store.
func (c *cli) devDir() string { return filepath.Join(c.home, config.CentralStoreName, "dev") }
