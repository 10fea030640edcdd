"""The diagnosis, measured like a medical test: planted faults, healthy controls, and how often the first finding is right.

python -m benchmarks.diagnosis --record runs/diagnosis [--processes 2] [--only PATTERN]
python -m benchmarks.diagnosis --health runs/diagnosis
python -m benchmarks.diagnosis --score runs/diagnosis [--half calibrate|measure|both|practice|practised|again|unseen|later|further]
python -m benchmarks.diagnosis.drawn runs/diagnosis practised|again|unseen|later|further
python -m benchmarks.diagnosis --pages runs/diagnosis
"""
