// Go's package net behind the driver protocol (../PROTOCOL.md).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

type object map[string]any
type command struct {
	ID, Port, Socket, Size int
	Command, Address, How  string
	Versions               []int
	Data                   []byte // encoding/json reads and writes these as Base64
	Options                object
}

// The package has no way to do this; wrapped with the reason.
var errUnsupported = errors.New("package net cannot")

const hello = `{"version": 1, "name": "go", "language": "Go", "implementation_version": %q, "pid": %d,
"signal": "SIGUSR2", "links": {"source": "https://github.com/golang/go"}, "capabilities": {"descriptors": "yes",
"errno": "yes", "nonblock": "no", "no_cloexec": "no", "keepalive": "yes", "reuseaddr": "yes", "reuseport": "yes",
"backlog": "no", "shutdown": "yes", "shutdown_read": "yes", "pending_error": "no"}}`

// The socket options to set before bind or connect. 0xf is SO_REUSEPORT, which package syscall lacks.
var options = map[string]map[string]int{
	"listen":  {"keepalive": syscall.SO_KEEPALIVE, "reuseaddr": syscall.SO_REUSEADDR, "reuseport": 0xf},
	"connect": {"keepalive": syscall.SO_KEEPALIVE},
	"adopt":   {"closed": 0},
}
var reasons = map[string]string{"nonblock": ": operations block, and have deadlines instead",
	"no_cloexec": ": every descriptor is close-on-exec", "backlog": ": it is always net.core.somaxconn"}

// The errnos that the package returns. Package syscall has their numbers, but not their symbols.
var symbols = map[syscall.Errno]string{
	syscall.EACCES: "EACCES", syscall.EADDRINUSE: "EADDRINUSE", syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL",
	syscall.EAFNOSUPPORT: "EAFNOSUPPORT", syscall.EBADF: "EBADF", syscall.ECONNABORTED: "ECONNABORTED",
	syscall.ECONNREFUSED: "ECONNREFUSED", syscall.ECONNRESET: "ECONNRESET", syscall.EHOSTUNREACH: "EHOSTUNREACH",
	syscall.EINVAL: "EINVAL", syscall.EMFILE: "EMFILE", syscall.ENETUNREACH: "ENETUNREACH", syscall.ENFILE: "ENFILE",
	syscall.ENOBUFS: "ENOBUFS", syscall.ENOMEM: "ENOMEM", syscall.ENOTCONN: "ENOTCONN", syscall.EPERM: "EPERM",
	syscall.ENOTSOCK: "ENOTSOCK", syscall.EPROTONOSUPPORT: "EPROTONOSUPPORT", syscall.EAGAIN: "EAGAIN",
	syscall.EPIPE: "EPIPE", syscall.EPROTO: "EPROTO", syscall.ETIMEDOUT: "ETIMEDOUT", syscall.EINTR: "EINTR",
	syscall.EALREADY: "EALREADY", syscall.EDOM: "EDOM", syscall.EFAULT: "EFAULT", syscall.EHOSTDOWN: "EHOSTDOWN",
	syscall.EINPROGRESS: "EINPROGRESS", syscall.EIO: "EIO", syscall.EISCONN: "EISCONN", syscall.ENETDOWN: "ENETDOWN",
	syscall.ENONET: "ENONET", syscall.ENOPROTOOPT: "ENOPROTOOPT", syscall.ENOSR: "ENOSR",
	syscall.EOPNOTSUPP: "EOPNOTSUPP", syscall.ESOCKTNOSUPPORT: "ESOCKTNOSUPPORT",
}

var sockets sync.Map // *net.TCPListener and *net.TCPConn, by number
var last atomic.Int64

func keep(socket io.Closer, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	number := int(last.Add(1))
	answer := object{"socket": number}
	if listener, is := socket.(*net.TCPListener); is {
		addr, known := listener.Addr().(*net.TCPAddr)
		if !known { // Listen ignores that getsockname(2) failed
			socket.Close()
			return nil, errors.New("the listener has no address")
		}
		answer["port"] = addr.Port
	}
	sockets.Store(number, socket)
	raw, _ := socket.(syscall.Conn).SyscallConn()
	return answer, raw.Control(func(fd uintptr) { answer["descriptor"] = fd })
}

// Receives the descriptor that the runner passed (unix(7), SCM_RIGHTS).
func receive() (*os.File, error) {
	from, control := -1, make([]byte, syscall.CmsgSpace(4))
	fmt.Sscan(os.Getenv("CONFORMANCE_ADOPT_FD"), &from)
	flags := syscall.MSG_DONTWAIT | syscall.MSG_CMSG_CLOEXEC
	_, size, _, _, err := syscall.Recvmsg(from, make([]byte, 1), control, flags)
	if err != nil {
		return nil, os.NewSyscallError("recvmsg", err)
	}
	messages, err := syscall.ParseSocketControlMessage(control[:size])
	if err != nil {
		return nil, err
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	return os.NewFile(uintptr(fds[0]), "adopted"), err
}

func (c *command) control(_, _ string, raw syscall.RawConn) (err error) {
	for name := range c.Options {
		if err == nil {
			option := options[c.Command][name]
			raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, 1) })
		}
	}
	return os.NewSyscallError("setsockopt", err)
}

func endpoint(addr net.Addr) (any, error) {
	tcp, known := addr.(*net.TCPAddr)
	if !known { // of an adopted socket: it has no peer, or is not TCP
		return object{"endpoint": nil}, nil
	}
	at := tcp.AddrPort() // unlike TCPAddr.IP, distinguishes mapped addresses
	return object{"endpoint": object{"address": at.Addr().String(), "port": at.Port()}}, nil
}

func (c *command) run() (any, error) {
	for name := range c.Options {
		if _, known := options[c.Command][name]; !known {
			return nil, fmt.Errorf("%w %s with `%s`%s", errUnsupported, c.Command, name, reasons[name])
		}
	}
	network, address := "tcp", net.JoinHostPort(c.Address, fmt.Sprint(c.Port))
	if !strings.Contains(c.Address, ":") {
		network = "tcp4" // "tcp" with an IPv4 wildcard would listen on IPv6, too
	}
	socket, known := sockets.Load(c.Socket)
	listener, isListener := socket.(*net.TCPListener)
	conn, isConn := socket.(net.Conn) // an adopted socket may be UDP
	tcp, isTCP := socket.(*net.TCPConn)
	switch {
	case c.Command == "hello":
		for _, version := range c.Versions {
			if version == 1 {
				return json.RawMessage(fmt.Sprintf(hello, runtime.Version()[2:], os.Getpid())), nil
			}
		}
		return nil, fmt.Errorf("%w: the driver speaks version 1", errUnsupported)
	case c.Command == "listen":
		return keep((&net.ListenConfig{Control: c.control}).Listen(context.Background(), network, address))
	case c.Command == "connect":
		return keep((&net.Dialer{Control: c.control}).Dial(network, address))
	case c.Command == "reset":
		closed := []any{}
		sockets.Range(func(number, socket any) bool {
			socket.(io.Closer).Close()
			sockets.Delete(number)
			closed = append(closed, number)
			return true
		})
		return object{"closed": closed}, nil
	case c.Command == "adopt":
		file, err := receive()
		if err != nil {
			return nil, err
		}
		defer file.Close() // FileConn duplicates it
		adopted, err := net.FileConn(file)
		answer, err := keep(adopted, err)
		if err == nil && c.Options["closed"] != nil {
			syscall.Close(int(answer.(object)["descriptor"].(uintptr)))
		}
		return answer, err
	case c.Command == "bye":
		return object{}, nil
	case c.Socket != 0 && !known:
		panic(fmt.Sprintf("no socket %d", c.Socket))
	case c.Command == "close":
		sockets.Delete(c.Socket)
		return object{}, socket.(io.Closer).Close()
	case c.Command == "accept" && isListener:
		return keep(listener.Accept())
	case c.Command == "localaddr" && isListener:
		return endpoint(listener.Addr())
	case c.Command == "localaddr" && isConn:
		return endpoint(conn.LocalAddr())
	case c.Command == "peeraddr" && isConn:
		return endpoint(conn.RemoteAddr())
	case c.Command == "send" && isConn:
		sent, err := conn.Write(c.Data)
		return object{"sent": sent}, err
	case c.Command == "recv" && isConn:
		data := make([]byte, c.Size)
		n, err := conn.Read(data)
		return object{"data": data[:n]}, err
	case c.Command == "shutdown" && isTCP:
		var err error
		if c.How != "write" {
			err = tcp.CloseRead()
		}
		if c.How != "read" && err == nil {
			err = tcp.CloseWrite()
		}
		return object{}, err
	}
	return nil, fmt.Errorf("%w `%s` a %T", errUnsupported, c.Command, socket)
}

// Answers the command, and returns whether the session goes on.
func (c *command) serve(answers *os.File) (more bool) {
	answer := object{"id": c.ID}
	defer func() {
		if fault := recover(); fault != nil {
			answer["internal"] = object{"text": fmt.Sprint(fault)}
		}
		more = c.Command != "bye" && (c.Command != "hello" || answer["ok"] != nil)
		message, _ := json.Marshal(answer)
		fmt.Fprintf(answers, "%d\n%s", len(message), message) // one write, which others cannot interrupt
	}()
	result, err := c.run()
	if err == nil || err == io.EOF { // the end of a stream is not a failure
		answer["ok"] = result
	} else if errors.Is(err, errUnsupported) {
		answer["unsupported"] = object{"reason": err.Error()}
	} else if errors.Is(err, net.ErrClosed) {
		answer["error"] = object{"kind": "bad_descriptor", "text": err.Error()}
	} else if errno := syscall.Errno(0); errors.As(err, &errno) && symbols[errno] != "" {
		answer["error"] = object{"errno": symbols[errno], "text": err.Error()}
	} else {
		answer["error"] = object{"kind": "opaque", "text": err.Error()}
	}
	return more
}

func main() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR2)
	in, out := uintptr(0), uintptr(1)
	fmt.Sscan(os.Getenv("CONFORMANCE_READ_FD")+" "+os.Getenv("CONFORMANCE_WRITE_FD"), &in, &out)
	// A frame's length and its message are two JSON values. Decode finds the end of each.
	commands, answers := json.NewDecoder(os.NewFile(in, "commands")), os.NewFile(out, "answers")
	for more := true; more; {
		length, c := 0, &command{}
		if commands.Decode(&length) != nil || commands.Decode(c) != nil {
			return // the end of the channel, or bytes that are not a frame
		}
		switch c.Command {
		case "connect", "accept", "send", "recv":
			go c.serve(answers)
		default: // these do not block
			more = c.serve(answers)
		}
	}
}
