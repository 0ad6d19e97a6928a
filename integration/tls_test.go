package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An authority signs the certificates of a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{certificate, key}
}

// issue returns certificate and key of a host, in PEM.
func (a authority) issue(t *testing.T, host string) (certificate, key []byte) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, own.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

func (a authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// client returns the TLS configuration of a client; host is empty for one without a certificate.
func (a authority) client(t *testing.T, host string) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	config := &tls.Config{RootCAs: pool, ServerName: serverHost, MinVersion: tls.VersionTLS12}
	if host != "" {
		certificate, key := a.issue(t, host)
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

// secureServer starts a server that listens for TLS and for nothing else. peers is YAML, the entries of its list; without any, everybody
// may connect whom the authority knows.
func (a authority) secureServer(t *testing.T, dir, peers string) *server {
	t.Helper()
	certificate, key := a.issue(t, serverHost)
	for name, content := range map[string][]byte{"server.pem": certificate, "server.key": key, "ca.pem": a.pem()} {
		writeFile(t, filepath.Join(dir, name), string(content))
	}
	who := "accept_unknown_peers: true"
	if peers != "" {
		who = "peers:\n" + peers
	}
	writeFile(t, filepath.Join(dir, "gyro.yaml"), fmt.Sprintf(`
origin_host: %s
origin_realm: %s
http: {listen: "127.0.0.1:0"}
diameter:
  listen: []
  tls:
    listen: ["127.0.0.1:0"]
    certificate: %[3]s/server.pem
    key: %[3]s/server.key
    client_ca: %[3]s/ca.pem
%[4]s
`, serverHost, serverRealm, dir, who))
	return startServerOn(t, filepath.Join(dir, "data"), "--config", filepath.Join(dir, "gyro.yaml"))
}

// secureAddress returns where the server listens for TLS.
func (s *server) secureAddress(t *testing.T) string {
	t.Helper()
	_, rest, _ := strings.Cut(s.output.String(), "gyro is ready: diameter-tls ")
	address, _, found := strings.Cut(rest, " ")
	if !found {
		t.Fatalf("the line that says where the server listens is missing:\n%s", s.output)
	}
	return address
}

func TestGY_012_MutualTLS(t *testing.T) {
	t.Parallel()
	trusted, dir := newAuthority(t), dataDir(t)
	s := trusted.secureServer(t, dir, "")
	address := s.secureAddress(t)

	secure := func(config *tls.Config, host string) *link {
		raw, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return newLink(t, tls.Client(raw, config), host)
	}
	t.Run("no certificate", func(t *testing.T) {
		l := secure(trusted.client(t, ""), "a.epc.test")
		l.write(l.cer().encode())
		l.wantClosed(patience)
	})
	t.Run("certificate of an authority that is not trusted", func(t *testing.T) {
		config := trusted.client(t, "")
		config.Certificates = newAuthority(t).client(t, "a.epc.test").Certificates
		l := secure(config, "a.epc.test")
		l.write(l.cer().encode())
		l.wantClosed(patience)
	})
	t.Run("no TLS", func(t *testing.T) {
		l := dial(t, address, "a.epc.test")
		l.write(l.cer().encode())
		<-l.gone
	})
	t.Run("certificate of another host", func(t *testing.T) {
		l := secure(trusted.client(t, "a.epc.test"), "b.epc.test")
		wantCode(t, l.call(l.cer()), 3010)
		l.wantClosed(patience)
	})
	t.Run("its own certificate", func(t *testing.T) {
		l := secure(trusted.client(t, "a.epc.test"), "a.epc.test")
		wantCode(t, l.call(l.cer()), 2001)
		l.wantOpen()
		wantGrant(t, l.newCall(s.newSubscriber(t, 600)).initial(0, service(100, wants(60))), 100, 60, false)
	})
}
