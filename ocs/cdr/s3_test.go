package cdr

import (
	"bytes"
	"crypto/md5" // what S3 names objects by
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A bucketServer is as much of S3 as an export needs: objects, multipart uploads, errors as XML. It checks who signs, not how.
type bucketServer struct {
	mutex   sync.Mutex
	objects map[string][]byte
	uploads map[string]map[int][]byte
}

func newBucketServer(t *testing.T) (*bucketServer, string) {
	t.Helper()
	s := &bucketServer{objects: map[string][]byte{}, uploads: map[string]map[int][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func (s *bucketServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if !strings.Contains(r.Header.Get("Authorization"), "Credential=who/") {
		s.fault(w, http.StatusForbidden, "AccessDenied")
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	query, key := r.URL.Query(), r.URL.Path
	upload := query.Get("uploadId")
	switch {
	case query.Has("location"):
		_, _ = io.WriteString(w, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`)
	case r.Method == http.MethodPost && query.Has("uploads"):
		id := fmt.Sprintf("u%d", len(s.uploads))
		s.uploads[id] = map[int][]byte{}
		_, _ = fmt.Fprintf(w, `<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>`, id)
	case r.Method == http.MethodPut && upload != "":
		part, _ := strconv.Atoi(query.Get("partNumber"))
		s.uploads[upload][part] = payload(r, body)
		w.Header().Set("ETag", etag(s.uploads[upload][part]))
	case r.Method == http.MethodPost && upload != "":
		var whole []byte
		for part := 1; part <= len(s.uploads[upload]); part++ {
			whole = append(whole, s.uploads[upload][part]...)
		}
		s.objects[key] = whole
		delete(s.uploads, upload)
		_, _ = fmt.Fprintf(w, `<CompleteMultipartUploadResult><Bucket>billing</Bucket><Key>k</Key><ETag>%s</ETag></CompleteMultipartUploadResult>`, etag(whole))
	case r.Method == http.MethodDelete:
		delete(s.uploads, upload)
		if upload == "" {
			delete(s.objects, key)
		}
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPut:
		s.objects[key] = payload(r, body)
		w.Header().Set("ETag", etag(s.objects[key]))
	case s.objects[key] == nil:
		s.fault(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("ETag", etag(s.objects[key]))
		w.Header().Set("Last-Modified", "Sun, 01 Nov 2026 00:00:00 GMT")
		http.ServeContent(w, r, "", day(11, 1), bytes.NewReader(s.objects[key]))
	}
}

// payload takes the signatures of the chunks out of a body that has them.
func payload(r *http.Request, body []byte) []byte {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return body
	}
	var whole []byte
	for {
		head, rest, _ := bytes.Cut(body, []byte("\r\n"))
		size, _, _ := strings.Cut(string(head), ";")
		n, err := strconv.ParseInt(size, 16, 64)
		if err != nil || n == 0 {
			return whole
		}
		whole, body = append(whole, rest[:n]...), rest[n+2:]
	}
}

func etag(data []byte) string {
	sum := md5.Sum(data)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func (s *bucketServer) fault(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
	}{Code: code})
}

// exportTo exports a month into a directory and to another place, and compares what is there.
func exportTo(t *testing.T, w *world, out string, access Access, there func(name string) ([]byte, error)) {
	t.Helper()
	dir := t.TempDir()
	e := w.export(t.Context(), "2026-09", Form{Format: CSV}, dir)
	dst, err := OpenDestination(t.Context(), out, access)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dst.Close() }()
	if _, err := dst.Open(t.Context(), "nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := dst.Size(t.Context(), "nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("size of a file that is not there: %v", err)
	}
	if err := dst.Remove(t.Context(), "nothing"); err != nil {
		t.Errorf("remove a file that is not there: %v", err)
	}
	if _, err := Export(t.Context(), &failing{w.book, 12_000}, dst, "2026-09", 20, Form{Format: CSV}, silent{}); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	again, err := Export(t.Context(), w.book, dst, "2026-09", 20, Form{Format: CSV}, silent{})
	if err != nil {
		t.Fatal(err)
	}
	if again.Kept == 0 || again.Kept+again.Written != len(e.Manifest.Files) {
		t.Errorf("%d kept and %d written of %d", again.Kept, again.Written, len(e.Manifest.Files))
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		want, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := there(entry.Name()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not the same (%v)", entry.Name(), err)
		}
	}
	v, err := Verify(t.Context(), w.book, dst, e.Name, silent{})
	if err != nil || len(v.Faults) > 0 {
		t.Errorf("verify: %v, %v", v.Faults, err)
	}
}

func TestS3(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	for range 60 {
		w.call(w.within(september))
	}
	server, url := newBucketServer(t)
	environment := map[string]string{"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "who", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-central-1"}
	access := Access{Getenv: func(name string) string { return environment[name] }}
	exportTo(t, w, "s3://billing/gyro", access, func(name string) ([]byte, error) {
		server.mutex.Lock()
		defer server.mutex.Unlock()
		return server.objects["/billing/gyro/"+name], nil
	})
	var names []string
	for name := range server.objects {
		if strings.HasSuffix(name, ".done") {
			names = append(names, name)
		}
	}
	if slices.Sort(names); len(names) > 0 || len(server.uploads) > 0 {
		t.Errorf("left over: %v, %d uploads", names, len(server.uploads))
	}
	environment["AWS_ACCESS_KEY_ID"] = "stranger"
	dst, err := OpenDestination(t.Context(), "s3://billing/gyro", access)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dst.Size(t.Context(), "x"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a stranger: %v", err)
	}
	for _, out := range []string{"s3://", "s3:///x", "s3://who:secret@bucket/x"} {
		if _, err := OpenDestination(t.Context(), out, access); err == nil {
			t.Errorf("%s was taken", out)
		}
	}
}
