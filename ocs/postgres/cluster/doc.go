// Package cluster runs a private Postgres from the binaries of the machine, for a server that was given no database.
//
// It runs `postgres` itself as a child, so that nothing has to be looked up to know whether it lives, and is gone with us:
//
//   - the kernel stops it when we are killed (Pdeathsig, Linux only); one that is left over all the same is stopped by
//     the next [Start], which may do so because it holds the lock of the directory;
//   - Ctrl-C does not reach it (own process group): the server drains first and stops it last;
//   - when it dies while we live it is started again at the same address, and only when that fails is [Cluster.Done] closed.
//
// It listens on a Unix socket in a directory that only its account may enter, and on nothing else, so that authentication
// is by the file system. fsync, full_page_writes, synchronous_commit and data checksums are on and cannot
// be configured away, except for the tests of other packages.
//
// postgres refuses to run as root. A server started as root runs it as the owner of the data or of the directory; where
// that is root itself, as user postgres or else nobody; and where such a user cannot enter the directory (below /root,
// say), as ourselves inside a user namespace in which root has the number of nobody.
//
// A data directory is never deleted. initdb works in a directory of another name that is renamed when it is whole.
package cluster
