//! `r-layer invoke`.

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::{Outcome, settings};
use crate::cache::Cache;
use crate::checksum::Sha256;
use crate::cli::InvokeArgs;
use crate::layer::audit::{self, AuditReport, Policy, Question, architecture_of};
use crate::layer::unpack::{UnpackError, unpack};
use crate::layer::{BuildRecord, LayerArchive, RuntimeRecipe};
use crate::progress::Reporter;
use crate::runtime_api::{
    Answer, ErrorReport, FunctionIdentity, FunctionSandbox, Init, Invocation, PeakMemory, RuntimeApi,
    initialize,
};
use crate::sandbox::{ProcessGroup, RootSpec, glibc_of_root, lambda_root};
use crate::target::{Architecture, Target};
use crate::terminal::{Printer, Verbosity};

/// How long Lambda lets a function start before it starts it again within the first invocation.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// The largest event of a synchronous invocation, in bytes.
const LARGEST_EVENT: usize = 6_291_456;
/// How long after its answer a runtime may still write to its log.
const AFTERWORD: Duration = Duration::from_millis(500);

/// Debian's releases by their glibc, oldest first: the first that a layer runs on is taken.
const DEBIAN_GLIBC: [(&str, [u32; 2]); 3] =
    [("bullseye", [2, 31]), ("bookworm", [2, 36]), ("trixie", [2, 41])];

/// What an invocation took, as Lambda's REPORT line has it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    request_id: String,
    duration_ms: f64,
    billed_duration_ms: u64,
    memory_size_mb: u64,
    max_memory_used_mb: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    init_duration_ms: Option<f64>,
}

impl Report {
    fn line(&self) -> String {
        let mut line = format!(
            "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB",
            self.request_id, self.duration_ms, self.billed_duration_ms, self.memory_size_mb, self.max_memory_used_mb
        );
        if let Some(init) = self.init_duration_ms {
            let _ = write!(line, "\tInit Duration: {init:.2} ms");
        }
        line
    }
}

/// What came of an invocation, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Invoked {
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorReport>,
    report: Report,
}

/// Invokes a handler once.
pub async fn run(args: InvokeArgs, printer: Printer, reporter: &dyn Reporter) -> Result<Outcome> {
    let target = settings::target(args.target.as_deref())?;
    let event = event(&args.event)?;
    let environment = args
        .environment
        .iter()
        .map(|text| settings::environment_variable(text))
        .collect::<Result<Vec<_>>>()?;
    let code = fs_err::canonicalize(&args.code).context("--code names the folder with the function's code")?;
    if !code.is_dir() {
        bail!("--code {} is no folder; name the folder with the function's code", code.display());
    }
    let cache = Cache::from_environment()?;
    let layers = Layers::read(&args.layers, target)?;
    let opt = layers.unpacked(&cache, reporter).await?;
    let root = layers.root(&args.root, target, &cache, reporter).await?;
    let identity = FunctionIdentity {
        name: function_name(&code),
        memory: args.memory,
        region: std::env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".to_owned()),
    };
    let sandbox = FunctionSandbox {
        root,
        layers: opt,
        code,
        handler: args.handler,
        identity: &identity,
        environment: &environment,
        target,
    };
    let session = Session { sandbox, printer, timeout: Duration::from_secs(args.timeout) };
    let (answer, report) = session.invoke(event).await?;
    print(&printer, answer, report)
}

/// The event: JSON, `@FILE` or `-`.
fn event(text: &str) -> Result<Vec<u8>> {
    let (event, from) = match text.strip_prefix('@') {
        Some(path) => {
            let event = fs_err::read(path).context("--event @FILE names a file with the event")?;
            (event, path.to_owned())
        }
        None if text == "-" => {
            let mut event = Vec::new();
            std::io::stdin().lock().read_to_end(&mut event)?;
            (event, "stdin".to_owned())
        }
        None => (text.as_bytes().to_vec(), "--event".to_owned()),
    };
    if event.len() > LARGEST_EVENT {
        bail!("the event from {from} has {} bytes; Lambda takes {LARGEST_EVENT}", event.len());
    }
    if !event.is_empty() {
        serde_json::from_slice::<serde::de::IgnoredAny>(&event).with_context(|| {
            format!("the event from {from} is not JSON; type for example --event '{{\"x\":1}}'")
        })?;
    }
    Ok(event)
}

/// Lambda's names have letters, digits, `-` and `_` only.
fn function_name(code: &Path) -> String {
    let name: String = code
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
        .take(64)
        .collect();
    if name.is_empty() { "function".to_owned() } else { name }
}

/// The layers of the function.
struct Layers {
    archives: Vec<LayerArchive>,
    key: String,
    report: AuditReport,
}

impl Layers {
    fn read(paths: &[PathBuf], target: &'static Target) -> Result<Layers> {
        let paths = match paths {
            [] => vec![built_runtime(Path::new("dist"))?],
            named => named.to_vec(),
        };
        let mut archives = Vec::new();
        let mut hashes = Vec::new();
        for path in &paths {
            hashes.push(Sha256::of_file(path).context("--layer names a layer's zip")?.to_string());
            archives.push(LayerArchive::open(path)?);
        }
        if archives.iter().all(|archive| archive.get("bootstrap").is_none()) {
            bail!("none of these layers has a bootstrap; add the runtime layer with --layer (r-layer build runtime)");
        }
        let this = settings::architecture(None)?;
        let architecture = architecture_of(&archives).unwrap_or(this);
        if architecture != this {
            bail!("these layers are for {architecture}, and this machine is {this}; build them with --arch {this}");
        }
        let question = Question { target, architecture, policy: Policy::Strict, wants_runtime: true };
        let report = audit::audit(&archives, &question);
        let key = Sha256::of_parts(hashes.iter().map(|hash| hash.as_bytes())).short();
        Ok(Layers { archives, key, report })
    }

    /// /opt, from the cache or unpacked now.
    async fn unpacked(&self, cache: &Cache, reporter: &dyn Reporter) -> Result<PathBuf> {
        for finding in &self.report.findings {
            reporter.warn(&finding.to_string());
        }
        cache
            .get_or_make("unpacked", &self.key, reporter, async |content: &Path| {
                unpack(&self.archives, content).map_err(|error| match error {
                    UnpackError::Io(error) => anyhow::Error::from(error),
                    refused => refused.into(),
                })
            })
            .await
    }

    /// The root file system; says which one it is.
    async fn root(
        &self,
        name: &str,
        target: &Target,
        cache: &Cache,
        reporter: &dyn Reporter,
    ) -> Result<PathBuf> {
        let architecture = self.report.architecture;
        let floor = self.report.glibc.as_deref().and_then(crate::elf::parse_version_number).unwrap_or_default();
        let suite = match name {
            "auto" => DEBIAN_GLIBC
                .iter()
                .find(|(_, glibc)| floor <= glibc.to_vec())
                .map(|(suite, _)| (*suite).to_owned())
                .context("these layers need a newer glibc than any Debian has; name a root with --root dir:PATH")?,
            name => match name.parse()? {
                RootSpec::Debian(suite) => suite,
                RootSpec::Folder(folder) => {
                    let folder = fs_err::canonicalize(folder)?;
                    return self.checked(folder, &floor, architecture, reporter);
                }
            },
        };
        let root = lambda_root(&suite, target, architecture, cache, reporter).await?;
        let like = format!("Lambda's commands and libraries from Debian {suite}");
        reporter.detail(&format!("root file system: {like}, in {}", root.display()));
        self.checked(root, &floor, architecture, reporter)
    }

    fn checked(
        &self,
        root: PathBuf,
        floor: &[u32],
        architecture: Architecture,
        reporter: &dyn Reporter,
    ) -> Result<PathBuf> {
        let Some(glibc) = glibc_of_root(&root, architecture) else {
            bail!("{} is no root file system for {architecture}: it has no libc.so.6", root.display());
        };
        let text = |version: &[u32]| version.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        if glibc.as_slice() < floor {
            bail!(
                "these layers need glibc {}, and {} has {}; name another root with --root",
                text(floor),
                root.display(),
                text(&glibc)
            );
        }
        reporter.note(&format!("root: {} (glibc {})", root.display(), text(&glibc)));
        Ok(root)
    }
}

/// The one runtime layer for this machine in a folder.
fn built_runtime(folder: &Path) -> Result<PathBuf> {
    let this = settings::architecture(None)?;
    let name = &RuntimeRecipe::embedded().name;
    let mut found: Vec<PathBuf> = fs_err::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter_map(|path| {
            let record: BuildRecord = serde_json::from_slice(&fs_err::read(&path).ok()?).ok()?;
            let zip = folder.join(&record.zip);
            (record.name == *name && record.architecture == this && zip.is_file()).then_some(zip)
        })
        .collect();
    found.sort();
    match found.len() {
        0 => bail!(
            "there is no runtime layer for {this} in {}; type r-layer build runtime, or name one with --layer",
            folder.display()
        ),
        1 => Ok(found.remove(0)),
        _ => bail!(
            "there are several runtime layers in {}; name one with --layer: {}",
            folder.display(),
            found.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// A function, and how long it may take.
struct Session<'a> {
    sandbox: FunctionSandbox<'a>,
    printer: Printer,
    timeout: Duration,
}

impl Session<'_> {
    async fn invoke(&self, event: Vec<u8>) -> Result<(Answer, Report)> {
        let api = RuntimeApi::start().await.context("the local Runtime API cannot be started")?;
        let mut running = Running::start(&self.sandbox, &api)?;
        let mut init = initialize(&mut running.process, &api, INIT_LIMIT).await?;
        let mut invocation = Invocation::new(event, self.sandbox.identity, self.timeout);
        let request_id = invocation.request_id.clone();
        self.line(&format!("START RequestId: {request_id} Version: $LATEST"));
        let started = Instant::now();
        if matches!(init, Init::TimedOut) {
            let limit = INIT_LIMIT.as_millis();
            self.line(&format!("INIT_REPORT Init Duration: {limit}.00 ms\tPhase: init\tStatus: timeout"));
            running.end().await;
            running = Running::start(&self.sandbox, &api)?;
            // What the second start takes is the invocation's time.
            init = initialize(&mut running.process, &api, self.timeout).await?;
            invocation.deadline = std::time::SystemTime::now() + self.timeout.saturating_sub(started.elapsed());
        }
        let limit = self.timeout.saturating_sub(started.elapsed());
        let (answer, init_duration) = match init {
            Init::Ready(duration) => (self.answer(&api, &mut running, invocation, limit).await?, Some(duration)),
            Init::Error(report) => (Answer::Error(report), None),
            Init::Exited(status) => (Answer::Error(exited(status)), None),
            Init::TimedOut => (Answer::Error(self.timed_out()), None),
        };
        let duration = started.elapsed();
        running.sample();
        let _ = tokio::time::timeout(AFTERWORD, api.asked(2)).await;
        let peak = running.end().await;
        self.line(&format!("END RequestId: {request_id}"));
        let billed = duration + init_duration.unwrap_or_default();
        let report = Report {
            request_id,
            duration_ms: milliseconds(duration),
            billed_duration_ms: milliseconds(billed).ceil() as u64,
            memory_size_mb: self.sandbox.identity.memory,
            max_memory_used_mb: peak.div_ceil(1 << 20),
            init_duration_ms: init_duration.map(milliseconds),
        };
        Ok((answer, report))
    }

    async fn answer(
        &self,
        api: &RuntimeApi,
        running: &mut Running,
        invocation: Invocation,
        limit: Duration,
    ) -> Result<Answer> {
        tokio::select! {
            biased;
            answer = api.invoke(invocation) => answer.context("the local Runtime API ended"),
            status = running.process.wait() => Ok(Answer::Error(exited(status?))),
            () = tokio::time::sleep(limit) => Ok(Answer::Error(self.timed_out())),
        }
    }

    fn timed_out(&self) -> ErrorReport {
        let seconds = self.timeout.as_secs_f64();
        let message = format!("Task timed out after {seconds:.2} seconds (--timeout gives it more)");
        ErrorReport::of_lambda("Sandbox.Timedout", message)
    }

    fn line(&self, line: &str) {
        if self.printer.verbosity > Verbosity::Quiet {
            self.printer.line(line);
        }
    }
}

fn exited(status: std::process::ExitStatus) -> ErrorReport {
    let message = format!("the runtime ended before it answered ({status})");
    ErrorReport::of_lambda("Runtime.ExitError", message)
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

/// A bootstrap that runs, with its log on its way to stderr and its memory watched.
struct Running {
    process: ProcessGroup,
    pid: u32,
    logs: Vec<JoinHandle<()>>,
    peak: PeakMemory,
    watch: JoinHandle<()>,
}

impl Running {
    fn start(sandbox: &FunctionSandbox<'_>, api: &RuntimeApi) -> Result<Running> {
        let mut process = sandbox.start(api)?;
        let pid = process.child.id().unwrap_or(0);
        let mut logs = Vec::new();
        logs.extend(process.child.stdout.take().map(|output| tokio::spawn(to_stderr(output))));
        logs.extend(process.child.stderr.take().map(|output| tokio::spawn(to_stderr(output))));
        let peak = PeakMemory::default();
        let watch = {
            let peak = peak.clone();
            tokio::spawn(async move { peak.watch(pid).await })
        };
        Ok(Running { process, pid, logs, peak, watch })
    }

    fn sample(&self) {
        self.peak.sample(self.pid);
    }

    /// Ends the processes and waits for the rest of the log; returns the most memory they had, in bytes.
    async fn end(self) -> u64 {
        self.watch.abort();
        drop(self.process);
        for log in self.logs {
            let _ = tokio::time::timeout(AFTERWORD, log).await;
        }
        self.peak.bytes()
    }
}

/// Copies a log to stderr. Where that is closed, nobody reads it.
async fn to_stderr(mut output: impl AsyncRead + Unpin) {
    let mut stderr = tokio::io::stderr();
    let _ = tokio::io::copy(&mut output, &mut stderr).await;
    let _ = stderr.flush().await;
}

fn print(printer: &Printer, answer: Answer, report: Report) -> Result<Outcome> {
    if printer.verbosity > Verbosity::Quiet {
        printer.line(&report.line());
    }
    let outcome = match answer {
        Answer::Response(_) => Outcome::Done,
        Answer::Error(_) => Outcome::Fault,
    };
    if printer.json {
        let (result, error) = match answer {
            Answer::Response(body) => (Some(json_or_text(&body)), None),
            Answer::Error(error) => (None, Some(error)),
        };
        let invoked = Invoked { result, error, report };
        printer.data((serde_json::to_string_pretty(&invoked)? + "\n").as_bytes())?;
        return Ok(outcome);
    }
    match answer {
        Answer::Response(mut body) => {
            if !body.ends_with(b"\n") {
                body.push(b'\n');
            }
            printer.data(&body)?;
        }
        Answer::Error(error) => {
            let title = printer.paint("1;31", &error.error_type);
            printer.line(&format!("{title}: {}", error.error_message));
            for call in &error.stack_trace {
                printer.line(&format!("    {call}"));
            }
        }
    }
    Ok(outcome)
}

fn json_or_text(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_json_from_the_command_line_or_a_file() {
        assert_eq!(event(r#"{"x":1}"#).unwrap(), br#"{"x":1}"#);
        assert!(event("").unwrap().is_empty());
        assert!(event("{x:1}").unwrap_err().to_string().contains("not JSON"));
        assert!(event("@/nowhere/event.json").is_err());
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "[1]").unwrap();
        assert_eq!(event(&format!("@{}", file.path().display())).unwrap(), b"[1]");
    }

    #[test]
    fn a_folder_gives_a_function_a_name_that_lambda_takes() {
        assert_eq!(function_name(Path::new("/srv/my function.v2")), "my-function-v2");
        assert_eq!(function_name(Path::new("/")), "function");
    }
}
