//! Rust's std::net behind the driver protocol (../PROTOCOL.md).

use data_encoding::BASE64;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::io::ErrorKind::{NotConnected, Unsupported};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::io::{AsRawFd, FromRawFd, RawFd};
use std::sync::{Arc, Mutex};
use std::{env, fs::File, mem, panic, process, thread};

extern "C" {
    // From the C library, because std has neither signals nor a way to wake a blocked accept.
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn shutdown(descriptor: i32, how: i32) -> i32;
    fn recvmsg(descriptor: i32, message: &mut Message, flags: i32) -> isize;
    fn close(descriptor: i32) -> i32;
}

/// struct msghdr and struct cmsghdr of 64-bit Linux, with space for one descriptor.
#[repr(C)]
struct Message {
    name: usize,
    name_size: u32,
    data: *mut [usize; 2],
    items: usize,
    control: *mut Control,
    control_size: usize,
    flags: i32,
}
#[repr(C)]
struct Control {
    size: usize,
    level: i32,
    kind: i32,
    descriptor: [i32; 2],
}

/// Receives the descriptor that the runner passed (unix(7), SCM_RIGHTS).
fn receive() -> io::Result<RawFd> {
    let mut byte = 0u8;
    let mut data = [&mut byte as *mut u8 as usize, 1];
    let mut control = Control { size: 0, level: 0, kind: 0, descriptor: [-1; 2] };
    let control_size = mem::size_of::<Control>();
    let (data, to): (*mut _, *mut _) = (&mut data, &mut control);
    let (name, name_size, items, flags) = (0, 0, 1, 0);
    let mut message = Message { name, name_size, data, items, control: to, control_size, flags };
    let from = env::var("CONFORMANCE_ADOPT_FD").map_or(-1, |text| text.parse().unwrap_or(-1));
    match unsafe { recvmsg(from, &mut message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) } {
        1 => Ok(control.descriptor[0]),
        _ => Err(io::Error::last_os_error()),
    }
}
extern "C" fn nothing(_: i32) {}
const SIGUSR2: i32 = 12;
const SHUT_RDWR: i32 = 2;
const MSG_DONTWAIT: i32 = 0x40;
const MSG_CMSG_CLOEXEC: i32 = 0x4000_0000;

/// The symbols of Linux's errnos. std has only their numbers.
const ERRNOS: &str = "EPERM 1,EINTR 4,EIO 5,EBADF 9,EAGAIN 11,ENOMEM 12,EACCES 13,EFAULT 14,\
    EINVAL 22,ENFILE 23,EMFILE 24,EPIPE 32,EDOM 33,ENOSR 63,ENONET 64,EPROTO 71,ENOTSOCK 88,\
    ENOPROTOOPT 92,EPROTONOSUPPORT 93,ESOCKTNOSUPPORT 94,EOPNOTSUPP 95,EAFNOSUPPORT 97,\
    EADDRINUSE 98,EHOSTDOWN 112,EALREADY 114,\
    EADDRNOTAVAIL 99,ENETDOWN 100,ENETUNREACH 101,ECONNABORTED 103,ECONNRESET 104,ENOBUFS 105,\
    EISCONN 106,ENOTCONN 107,ETIMEDOUT 110,ECONNREFUSED 111,EHOSTUNREACH 113,EINPROGRESS 115";

/// The members of `ok`, or an error. A fault of the driver itself is a panic.
type Answer = io::Result<Value>;

/// std::net has no way to do this. Unlike the kernel's errors, this one has no errno.
fn unsupported(reason: String) -> Answer {
    Err(io::Error::new(Unsupported, reason))
}

enum Socket {
    Listener(TcpListener),
    Stream(TcpStream),
}
use Socket::{Listener, Stream};

struct Driver {
    answers: Mutex<File>,
    /// The last number, and the sockets with their descriptors, by number.
    sockets: Mutex<(u64, BTreeMap<u64, (RawFd, Arc<Socket>)>)>,
}

impl Driver {
    fn keep<T: AsRawFd>(&self, socket: T, kind: fn(T) -> Socket) -> Answer {
        let descriptor = socket.as_raw_fd();
        let (last, sockets) = &mut *self.sockets.lock().unwrap();
        *last += 1;
        sockets.insert(*last, (descriptor, Arc::new(kind(socket))));
        Ok(json!({"socket": *last, "descriptor": descriptor}))
    }

    fn run(&self, name: &str, command: &Value) -> Answer {
        for option in command["options"].as_object().into_iter().flat_map(Map::keys) {
            match (name, option.as_str()) {
                // TcpListener::bind always sets SO_REUSEADDR.
                ("listen", "nonblock" | "reuseaddr") | ("accept", "nonblock") => {}
                ("adopt", "closed") => {}
                ("connect", "nonblock") => return unsupported("TcpStream::connect blocks".into()),
                _ => return unsupported(format!("std::net has no `{option}` for {name}")),
            }
        }
        let nonblock = command["options"]["nonblock"] == true;
        let number = command["socket"].as_u64();
        let find = |number| Some(self.sockets.lock().unwrap().1.get(&number)?.1.clone());
        let socket = number.and_then(find);
        assert_eq!(number.is_some(), socket.is_some(), "no socket {number:?}");
        let done = json!({});
        match (name, socket.as_deref()) {
            ("hello", _) if command["versions"].as_array().unwrap().contains(&json!(1)) => {
                Ok(json!({
                    "version": 1, "name": "rust", "language": "Rust", "signal": "SIGUSR2",
                    "implementation_version": option_env!("RUSTC_VERSION").unwrap_or("unknown"),
                    "links": {"source": "https://github.com/rust-lang/rust"}, "pid": process::id(),
                    "capabilities": {"descriptors": "yes", "errno": "yes", "no_cloexec": "no",
                        "keepalive": "no", "reuseaddr": "yes", "reuseport": "no", "backlog": "no",
                        "shutdown": "yes", "shutdown_read": "yes", "pending_error": "yes"}}))
            }
            ("hello", _) => unsupported("speaks version 1".into()),
            ("listen", _) => {
                let listener = TcpListener::bind(target(command))?;
                listener.set_nonblocking(nonblock)?;
                let port = listener.local_addr()?.port();
                let mut answer = self.keep(listener, Listener)?;
                answer["port"] = port.into();
                Ok(answer)
            }
            ("connect", _) => self.keep(TcpStream::connect(target(command))?, Stream),
            ("accept", Some(Listener(listener))) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(nonblock)?;
                self.keep(stream, Stream)
            }
            ("adopt", _) => {
                let descriptor = receive()?;
                let stream = unsafe { TcpStream::from_raw_fd(descriptor) };
                if command["options"]["closed"] == true {
                    unsafe { close(descriptor) };
                }
                self.keep(stream, Stream)
            }
            ("localaddr", Some(Listener(listener))) => endpoint(listener.local_addr()?),
            ("localaddr", Some(Stream(stream))) => endpoint(stream.local_addr()?),
            ("peeraddr", Some(Stream(stream))) => match stream.peer_addr() {
                Err(error) if error.kind() == NotConnected => Ok(json!({ "endpoint": null })),
                peer => endpoint(peer?),
            },
            ("send", Some(Stream(stream))) => {
                let data = BASE64.decode(command["data"].as_str().unwrap().as_bytes()).unwrap();
                Ok(json!({ "sent": (&*stream).write(&data)? }))
            }
            ("recv", Some(Stream(stream))) => {
                let mut data = vec![0; command["size"].as_u64().unwrap() as usize];
                let size = (&*stream).read(&mut data)?;
                Ok(json!({ "data": BASE64.encode(&data[..size]) }))
            }
            ("shutdown", Some(Stream(stream))) => {
                let how = match command["how"].as_str() {
                    Some("read") => Shutdown::Read,
                    Some("write") => Shutdown::Write,
                    _ => Shutdown::Both,
                };
                stream.shutdown(how).and(Ok(done))
            }
            ("pending_error", Some(Stream(stream))) => stream.take_error()?.map_or(Ok(done), Err),
            // The socket is closed when the last operation on it ends, because each holds a reference.
            ("close", Some(_)) => {
                self.sockets.lock().unwrap().1.remove(&number.unwrap());
                Ok(done)
            }
            ("bye", _) => Ok(done),
            ("reset", _) => {
                let sockets = mem::take(&mut self.sockets.lock().unwrap().1);
                for (descriptor, _) in sockets.values() {
                    // Blocked operations end and drop their references. The last one closes the socket.
                    unsafe { shutdown(*descriptor, SHUT_RDWR) };
                }
                Ok(json!({"closed": sockets.into_keys().collect::<Vec<_>>()}))
            }
            (_, Some(Listener(_))) => unsupported(format!("a TcpListener has no {name}")),
            (_, Some(Stream(_))) => unsupported(format!("a TcpStream has no {name}")),
            (_, None) => unsupported(format!("no command `{name}`")),
        }
    }

    /// Answers a command, and returns whether the session goes on.
    fn serve(&self, name: &str, command: &Value) -> bool {
        let answer = panic::catch_unwind(panic::AssertUnwindSafe(|| self.run(name, command)));
        let (member, content) = match answer {
            Ok(Ok(content)) => ("ok", content),
            Ok(Err(error)) => report(error),
            Err(_) => ("internal", json!({"text": "a panic, see standard error"})),
        };
        let message = json!({"id": command["id"], member: content}).to_string();
        // A failure is ignored, because the reader sees the end of the channel, too.
        let _ = write!(self.answers.lock().unwrap(), "{}\n{message}", message.len());
        name != "bye" && (name != "hello" || member == "ok")
    }
}

fn report(error: io::Error) -> (&'static str, Value) {
    let text = error.to_string();
    let ending = match error.raw_os_error() {
        None if error.kind() == Unsupported => return ("unsupported", json!({ "reason": text })),
        number => format!(" {}", number.unwrap_or(0)),
    };
    match ERRNOS.split(',').find_map(|errno| errno.strip_suffix(&ending)) {
        Some(symbol) => ("error", json!({"errno": symbol, "text": text})),
        None => ("error", json!({"kind": "opaque", "text": text})),
    }
}

fn target(command: &Value) -> SocketAddr {
    let address = command["address"].as_str().unwrap().parse().unwrap();
    SocketAddr::new(address, command["port"].as_u64().unwrap() as u16)
}

fn endpoint(at: SocketAddr) -> Answer {
    Ok(json!({"endpoint": {"address": at.ip(), "port": at.port()}}))
}

fn channel(variable: &str, otherwise: RawFd) -> File {
    let number = env::var(variable).ok().and_then(|text| text.parse().ok());
    unsafe { File::from_raw_fd(number.unwrap_or(otherwise)) }
}

fn main() {
    unsafe { signal(SIGUSR2, nothing) };
    let answers = Mutex::new(channel("CONFORMANCE_WRITE_FD", 1));
    let driver = Arc::new(Driver { answers, sockets: Default::default() });
    let mut commands = BufReader::new(channel("CONFORMANCE_READ_FD", 0));
    let mut length = String::new();
    while commands.read_line(&mut length).expect("a length") > 0 {
        let frame = commands.by_ref().take(length.trim().parse().expect("a length"));
        let command: Value = serde_json::from_reader(frame).expect("JSON");
        length.clear();
        let name = command["command"].as_str().expect("a command").to_string();
        if ["connect", "accept", "send", "recv"].contains(&name.as_str()) {
            let driver = driver.clone();
            thread::spawn(move || driver.serve(&name, &command));
        } else if !driver.serve(&name, &command) {
            break;
        }
    }
}
