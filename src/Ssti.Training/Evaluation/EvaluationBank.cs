using System.Runtime.ExceptionServices;
using Ssti.Nets.Models;
using Ssti.Training.Batches;

namespace Ssti.Training.Evaluation;

/// <summary>
/// Evaluations of adapters on one base that are made together: what several of them read is read once, a row that several of them ask about
/// is made a batch once, and
/// what comes before the first linear that one of the adapters changes is computed once. Each gets, to the bit, what it gets alone.
/// </summary>
/// <remarks>
/// Each works on a thread of its own, one of them at a time, so that together they take one place of a machine; they meet where the model
/// is asked. Who fails, or stops,
/// or never comes is not waited for, and takes nobody down.
/// </remarks>
/// <param name="size">How many evaluations are expected.</param>
public sealed class EvaluationBank(int size)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly object _gate = new();
    private readonly bool[] _gone = new bool[size];
    private readonly Question?[] _asked = new Question?[size];
    private readonly Dictionary<string, object> _kept = [];

    /// <summary>How many evaluations are expected.</summary>
    public int Size { get; } = size;

    /// <summary>
    /// Takes a seat for the calling thread, which works from here on, but for the time that it waits for the others; to be disposed of on
    /// the same thread.
    /// </summary>
    /// <param name="number">Which, from 0.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public EvaluationSeat Take(int number, CancellationToken cancellation)
    {
        while (!Monitor.TryEnter(_gate, Look)) cancellation.ThrowIfCancellationRequested();
        return new EvaluationSeat(this, number);
    }

    /// <summary>Says that nobody comes to a seat any more: the others wait for it no longer. Does not wait itself.</summary>
    public void Leave(int number)
    {
        Volatile.Write(ref _gone[number], true);
        if (AllAreGone) Task.Run(LetGo);
    }

    private bool AllAreGone => Enumerable.Range(0, Size).All(number => Volatile.Read(ref _gone[number]));

    internal void Exit(int number)
    {
        _asked[number] = null;
        Volatile.Write(ref _gone[number], true);
        LetGo();
        Monitor.Exit(_gate);
    }

    // What the evaluations had in common goes with the last of them.
    private void LetGo()
    {
        lock (_gate)
        {
            if (!AllAreGone) return;
            foreach (var kept in _kept.Values.OfType<IDisposable>()) kept.Dispose();
            _kept.Clear();
        }
    }

    internal T Once<T>(string key, Func<T> make)
        where T : class
    {
        if (_kept.TryGetValue(key, out var there)) return (T)there;
        var made = make();
        _kept[key] = made;
        return made;
    }

    internal float[][][] Logits(int number, Question question)
    {
        _asked[number] = question;
        while (true)
        {
            if (question.IsAnswered) return question.Take();
            question.Cancellation.ThrowIfCancellationRequested();
            // Whoever finds that all are here asks for all.
            if (Enumerable.Range(0, Size).All(other => Volatile.Read(ref _gone[other]) || _asked[other] is not null)) Answer(question.Cancellation);
            else Monitor.Wait(_gate, Look);
        }
    }

    private void Answer(CancellationToken cancellation)
    {
        var open = _asked.OfType<Question>().Where(question => !question.IsAnswered).ToArray();
        foreach (var alike in open.GroupBy(question => (question.Model.Trunk, question.BatchSize, question.Model.Head.DropsPadding)))
        {
            Question[] together = [.. alike];
            var sets = together.SelectMany(question => question.Sets).Distinct(ReferenceEqualityComparer.Instance).Cast<TokenizedRows>().ToArray();
            var answers = together.Select(question => new float[question.Sets.Count][][]).ToArray();
            try
            {
                // Set by set, each with those who ask about it.
                foreach (var set in sets)
                {
                    int[] asking = [.. Enumerable.Range(0, together.Length).Where(i => together[i].Sets.Contains(set))];
                    var logits = Predictor.LogitsOfEach(
                        [.. asking.Select(i => together[i].Model)], [set], alike.Key.BatchSize,
                        (_, done, _) => Array.ForEach(asking, i => together[i].Progress?.Invoke(IndexOf(together[i], set), together[i].Before(set) + done, together[i].Rows)),
                        cancellation);
                    for (var i = 0; i < asking.Length; i++) answers[asking[i]][IndexOf(together[asking[i]], set)] = logits[i][0];
                }

                for (var i = 0; i < together.Length; i++) together[i].Answer(answers[i], together.Count(other => other.Sets.Contains(together[i].Sets[0])));
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // It may be one of them alone that has no numbers.
                foreach (var question in together) question.AnswerAlone(cancellation);
            }
        }

        Monitor.PulseAll(_gate);

        static int IndexOf(Question question, TokenizedRows set) => question.Sets.TakeWhile(other => !ReferenceEquals(other, set)).Count();
    }

    /// <summary>What one evaluation asks its model.</summary>
    internal sealed record Question(
        SequenceClassifier Model, IReadOnlyList<TokenizedRows> Sets, int BatchSize, Action<int, long, long>? Progress, CancellationToken Cancellation)
    {
        /// <summary>How many were asked about the first set together.</summary>
        public int Together { get; private set; } = 1;

        private float[][][]? _answer;
        private ExceptionDispatchInfo? _error;

        public bool IsAnswered => _answer is not null || _error is not null;

        public long Rows => Sets.Sum(set => (long)set.Count);

        public long Before(TokenizedRows set) => Sets.TakeWhile(other => !ReferenceEquals(other, set)).Sum(other => (long)other.Count);

        public void Answer(float[][][] logits, int together) => (_answer, Together) = (logits, together);

        public void AnswerAlone(CancellationToken cancellation)
        {
            try
            {
                _answer = Predictor.Logits(Model, Sets, BatchSize, Progress, cancellation);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                _error = ExceptionDispatchInfo.Capture(e);
            }
        }

        public float[][][] Take()
        {
            _error?.Throw();
            return _answer!;
        }
    }
}

/// <summary>An evaluation's place in a bank, while it works or waits for the others. Disposed of, it is left.</summary>
public sealed class EvaluationSeat : IDisposable
{
    private readonly EvaluationBank _bank;
    private readonly int _number;
    private bool _left;

    /// <summary>How many were asked about the first set in one pass, this one included; 1 before it was asked.</summary>
    public int Together { get; private set; } = 1;

    internal EvaluationSeat(EvaluationBank bank, int number) => (_bank, _number) = (bank, number);

    /// <summary>
    /// What evaluations of the bank have in common: made by the first that asks, and disposed of, where it can be, when the last seat is
    /// left.
    /// </summary>
    /// <param name="key">What it is, in words that tell it from anything else.</param>
    /// <param name="make">Makes it, of no dispose scope.</param>
    public T Once<T>(string key, Func<T> make)
        where T : class => _bank.Once(key, make);

    /// <summary>
    /// The logits of the rows of several sets, as <see cref="Predictor.Logits(SequenceClassifier, IReadOnlyList{TokenizedRows}, int,
    /// Action{int, long, long}?, CancellationToken)"/>
    /// gives them; asked together with the others, once they are here. Sets that are the same object are one set.
    /// </summary>
    /// <exception cref="TrainingException">A logit of this model is no finite number; names the row.</exception>
    public float[][][] Logits(
        SequenceClassifier model, IReadOnlyList<TokenizedRows> sets, int batchSize, Action<int, long, long>? progress, CancellationToken cancellation)
    {
        var question = new EvaluationBank.Question(model, sets, batchSize, progress, cancellation);
        var logits = _bank.Logits(_number, question);
        Together = question.Together;
        return logits;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_left) return;
        _left = true;
        _bank.Exit(_number);
    }
}
