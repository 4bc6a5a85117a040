"""What the benches of connectors share: a table of orders, and what a process has used."""
import os
import pathlib

COLUMNS = ("id bigint primary key, user_id varchar(50), product_id varchar(120), order_id varchar(50), qty int, "
           "unit_price decimal(12,2), total_price decimal(14,2), created_at {datetime}(3)")
# MariaDB's, for rows of those numbers.
ROWS = ("INSERT INTO src.orders SELECT seq, concat('user-', seq % 50000), concat('product-', seq % 1000, '-with-a-name-of-usual-length'), uuid(), "
        "1 + seq % 9, 1 + (seq % 10000) / 100, (1 + seq % 9) * (1 + (seq % 10000) / 100), "
        "'2026-01-01' + INTERVAL seq * 37 SECOND + INTERVAL seq % 1000 * 1000 MICROSECOND FROM seq_{first}_to_{last}")
# PostgreSQL's.
SERIES = ("INSERT INTO orders SELECT n, 'user-' || n % 50000, 'product-' || n % 1000 || '-with-a-name-of-usual-length', gen_random_uuid(), "
          "1 + n % 9, 1 + (n % 10000) / 100.0, (1 + n % 9) * (1 + (n % 10000) / 100.0), "
          "timestamp '2026-01-01' + n * interval '37 seconds' + n % 1000 * interval '1 millisecond' FROM generate_series({first},{last}) n")


def usage(pid):
    """(user seconds, system seconds, peak RSS in MiB)"""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    user, system = (int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13])
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return user, system, peak / 1024
