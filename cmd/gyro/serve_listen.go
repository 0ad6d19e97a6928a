package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// startListeners takes the addresses before anything else is done, so that a second server changes nothing. Who
// connects meanwhile waits.
func (s *server) startListeners(ctx context.Context) error {
	listen := func(key, address string) (net.Listener, error) {
		var config net.ListenConfig
		l, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, listenError(key, address, err)
		}
		s.later(func(context.Context) error {
			if err := l.Close(); !errors.Is(err, net.ErrClosed) {
				return err
			}
			return nil
		})
		return l, nil
	}
	for _, address := range s.config.Diameter.Listen {
		l, err := listen("diameter-listen", address)
		if err != nil {
			return err
		}
		s.plain = append(s.plain, l)
	}
	for _, address := range s.config.Diameter.TLS.Listen {
		l, err := listen("diameter-tls-listen", address)
		if err != nil {
			return err
		}
		s.secure = append(s.secure, l)
	}
	l, err := listen("http-listen", s.config.HTTP.Listen)
	if err != nil {
		return err
	}
	s.web = l
	if !isLoopback(l.Addr()) {
		s.log.Warn("the HTTP API is open to the network and not encrypted: put a TLS proxy before it, or listen on 127.0.0.1", "http.listen", l.Addr().String())
	}
	return nil
}

// listenError says which address is the trouble and what to do about it.
func listenError(key, address string, err error) error {
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		err = operation.Err
	}
	hint := ""
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hint = fmt.Sprintf(": another program listens there; stop it or choose another address with --%s HOST:PORT", key)
		err = errors.New("the port is taken")
	case errors.Is(err, syscall.EACCES):
		hint = ": ports below 1024 are for root or for who has CAP_NET_BIND_SERVICE"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = ": this machine has no such address"
	}
	return fmt.Errorf("listen on %s (--%s): %w%s", address, key, err, hint)
}

func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

func addresses(listeners []net.Listener) []string {
	all := make([]string, 0, len(listeners))
	for _, l := range listeners {
		all = append(all, l.Addr().String())
	}
	return all
}

// reachable returns address as a program on this machine can dial it.
func reachable(address net.Addr) string {
	tcp, ok := address.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Port}).String()
	}
	return address.String()
}

// load returns the TLS of the Diameter listeners, or nil when there are none.
func (c tlsConfig) load() (*tls.Config, error) {
	if len(c.Listen) == 0 {
		return nil, nil //nolint:nilnil // no TLS is no fault
	}
	certificate, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return nil, fmt.Errorf("diameter.tls.certificate, diameter.tls.key: %w", err)
	}
	pem, err := readBounded(c.ClientCA, maxConfigFile)
	if err != nil {
		return nil, fmt.Errorf("diameter.tls.client_ca: %s: %w", c.ClientCA, err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("diameter.tls.client_ca: %s holds no certificate in PEM", c.ClientCA)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientCAs: authorities,
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	}, nil
}
