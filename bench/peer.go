package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The same API in serverless-offline's own terms, and the exact versions of
// it and of osls, which hosts it.
//
//go:embed peer
var peerFiles embed.FS

const (
	installLimit = 5 * time.Minute
	peerLimit    = 2 * time.Minute // until its first right answer
)

// peer is serverless-offline, the tool that a user would pick instead.
type peer struct {
	endpoint
	cmd *exec.Cmd
	log bytes.Buffer
}

// startPeer installs and starts the peer. Where it can't, it says so in the
// report and returns nil.
func (b *bench) startPeer(ctx context.Context) *peer {
	if b.short {
		return nil
	}
	dir, err := b.installPeer(ctx)
	if err == nil {
		var p *peer
		if p, err = startPeerIn(ctx, dir); err == nil {
			return p
		}
	}
	b.report.note("serverless-offline was not measured: %v", err)
	return nil
}

func (b *bench) installPeer(ctx context.Context) (dir string, err error) {
	if _, err := exec.LookPath("npm"); err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(filepath.Join(b.tools, "serverless-offline")); err != nil {
		return "", err
	}
	files, err := fs.Sub(peerFiles, "peer")
	if err != nil {
		return "", err
	}
	wanted, err := fs.ReadFile(files, "package.json")
	if err != nil {
		return "", err
	}
	installed, _ := os.ReadFile(filepath.Join(dir, "package.json")) // none: it isn't installed
	_, err = os.Stat(filepath.Join(dir, "node_modules"))
	fresh := err != nil || !bytes.Equal(installed, wanted)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"package.json", "serverless.yml"} {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return "", err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "main.py"), []byte(handlerCode), 0o644); err != nil {
		return "", err
	}
	if !fresh {
		return dir, nil
	}
	ctx, cancel := context.WithTimeout(ctx, installLimit)
	defer cancel()
	// Its peer "serverless" needs a login; osls takes its place.
	cmd := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--legacy-peer-deps")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install: %w: %.300s", err, out)
	}
	return dir, nil
}

func startPeerIn(ctx context.Context, dir string) (*peer, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(address, ":")
	flags := []string{"offline", "start", "--host", "127.0.0.1", "--httpPort", port, "--stage", stage, "--noSponsor"}
	for _, name := range []string{"--lambdaPort", "--websocketPort", "--albPort"} {
		other, err := freeAddress()
		if err != nil {
			return nil, err
		}
		_, port, _ := strings.Cut(other, ":")
		flags = append(flags, name, port)
	}
	p := &peer{cmd: exec.Command(filepath.Join(dir, "node_modules", ".bin", "osls"), flags...)}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.log, &p.log
	p.cmd.Env = append(os.Environ(), "SLS_NOTIFICATIONS_MODE=off", "SLS_TELEMETRY_DISABLED=1")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.endpoint = endpoint{
		address: address, roots: []int{p.cmd.Process.Pid},
		request: always(get(address, "/"+stage+"/user/ada")), check: expect(peerAnswer),
	}
	if err := awaitPeer(ctx, p); err != nil {
		p.stop()
		return nil, fmt.Errorf("%w; it said: %.800s", err, p.log.String())
	}
	return p, nil
}

// peerAnswer is goodAnswer as JavaScript prints it.
const peerAnswer = `{"id":"ada","name":"Ada","stage":"production"}`

func awaitPeer(ctx context.Context, p *peer) (err error) {
	for begin := time.Now(); time.Since(begin) < peerLimit && ctx.Err() == nil; {
		if err = awaitAnswer(ctx, &p.endpoint); err == nil {
			return nil
		}
	}
	return err
}

// stop ends the peer with the interpreters it has started.
func (p *peer) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Wait()
}
