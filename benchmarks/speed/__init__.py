"""How fast the same trainings run: Glassnet beside other ways to train, on the same data, in turns, in one run.

python -m benchmarks.speed [--only PATTERN ...] [--contenders NAME ...] [--seconds 2] [--rounds 5] [--threads N] [--out FOLDER]
python -m benchmarks.speed --time-to-accuracy DATA [--only mnist ...] [--seeds 3]
"""
