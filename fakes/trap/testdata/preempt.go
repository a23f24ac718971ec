// Makes 200 connections while SIGURG, the signal with which Go preempts
// goroutines, hits all threads. Prints the number of the connection whose
// accept4 fails, counted from 1.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	var done atomic.Bool
	runtime.GOMAXPROCS(4)
	go func() {
		for !done.Load() {
			syscall.Kill(syscall.Getpid(), syscall.SIGURG)
		}
	}()
	// Keeps the scheduler preempting.
	go func() {
		for !done.Load() {
		}
	}()
	listener, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	must(err)
	must(syscall.Bind(listener, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(syscall.Listen(listener, 16))
	address, err := syscall.Getsockname(listener)
	must(err)
	for i := 1; i <= 200; i++ {
		client, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		must(err)
		for {
			err = syscall.Connect(client, address)
			if err != syscall.EINTR && err != syscall.EALREADY {
				break
			}
		}
		if err != syscall.EISCONN {
			must(err)
		}
		server, _, err := syscall.Accept4(listener, syscall.SOCK_CLOEXEC)
		if err != nil {
			fmt.Println(i, err)
		} else {
			syscall.Close(server)
		}
		syscall.Close(client)
	}
	done.Store(true)
}
