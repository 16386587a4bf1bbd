"""All benchmarks, one after the other: ``make bench``."""

from benchmarks import (
    bench_import,
    bench_processing,
    bench_templates,
    bench_tiles,
    bench_validity,
    bench_viewer,
    bench_whole_path,
    bench_workers,
)

ALL = (
    bench_processing,
    bench_validity,
    bench_whole_path,
    bench_workers,
    bench_import,
    bench_tiles,
    bench_templates,
    bench_viewer,
)


def main() -> None:
    for benchmark in ALL:
        print(f"\n{(benchmark.__doc__ or '').splitlines()[0]}\n", flush=True)
        benchmark.main()


if __name__ == "__main__":
    main()
