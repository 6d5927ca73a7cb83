// The pointwise parts of an encoder in bf16, forward and backward, each one pass over memory. Compiled by NVRTC, which brings no headers: nothing is
// included. WIDTH, a hidden state's width in eights of numbers, is defined at compile time. Widths and steps of rows are counted in eights.
// Dropouts are drawn anew in the backward pass, from seed, site and place: no mask is stored.

typedef unsigned int u32;
typedef unsigned long long u64;

struct __align__(16) Eight { u32 pairs[4]; };

// Where a dropout draws from, and what it does: a value is dropped when its 16 bits lie below the threshold. With parts, each so many rows have a seed of
// their own, and are counted from 0.
struct Drop { u64 seed; const u64* seeds; u32 site, threshold; float scale; u32 part; };

__device__ __forceinline__ void unpack(const Eight& from, float* to)
{
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        to[2 * i] = __uint_as_float(from.pairs[i] << 16);
        to[2 * i + 1] = __uint_as_float(from.pairs[i] & 0xffff0000u);
    }
}

__device__ __forceinline__ Eight pack(const float* from)
{
    Eight to;
#pragma unroll
    for (int i = 0; i < 4; i++) asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(to.pairs[i]) : "f"(from[2 * i + 1]), "f"(from[2 * i]));
    return to;
}

// Philox 4x32 with 7 rounds (Salmon et al. 2011): 128 bits for an eight of a row of so many.
__device__ __forceinline__ void drop(float* values, const Drop& d, u32 row, u32 eight, u32 width)
{
    if (d.threshold == 0) return;
    u64 seed = d.seed;
    if (d.part)
    {
        u32 of = row / d.part;
        seed = d.seeds[of];
        row -= of * d.part;
    }

    u32 c0 = row * width + eight, c1 = d.site, c2 = 0, c3 = 0, k0 = (u32)seed, k1 = (u32)(seed >> 32);
#pragma unroll
    for (int round = 0; round < 7; round++)
    {
        u32 high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0, high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }

    u32 bits[4] = { c0, c1, c2, c3 };
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        values[2 * i] *= (bits[i] & 0xffffu) < d.threshold ? 0.f : d.scale;
        values[2 * i + 1] *= (bits[i] >> 16) < d.threshold ? 0.f : d.scale;
    }
}

// A row is worked on by 16 threads, each with every sixteenth eight of it.
#define LANES 16
#define ITEMS ((WIDTH + LANES - 1) / LANES)
#define HAS(v) (WIDTH % LANES == 0 || (v) < WIDTH)

__device__ __forceinline__ float over_row(float value)
{
#pragma unroll
    for (int step = LANES / 2; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
    return value;
}

// Mean and 1/deviation of a row.
__device__ __forceinline__ void moments(float (*x)[8], u32 lane, float eps, float& mean, float& rate)
{
    float sum = 0, squares = 0;
#pragma unroll
    for (int k = 0; k < ITEMS; k++)
        if (HAS(lane + LANES * k))
            for (int i = 0; i < 8; i++) sum += x[k][i];
    mean = over_row(sum) / (WIDTH * 8);
#pragma unroll
    for (int k = 0; k < ITEMS; k++)
        if (HAS(lane + LANES * k))
            for (int i = 0; i < 8; i++) squares += (x[k][i] - mean) * (x[k][i] - mean);
    rate = rsqrtf(over_row(squares) / (WIDTH * 8) + eps);
}

__device__ __forceinline__ void normalise(float* x, float mean, float rate, const Eight& weight, const Eight& bias)
{
    float w[8], b[8];
    unpack(weight, w);
    unpack(bias, b);
#pragma unroll
    for (int i = 0; i < 8; i++) x[i] = (x[i] - mean) * rate * w[i] + b[i];
}

// output = norm(word[id] + type + position), dropped out.
struct Embed
{
    const int* ids; const Eight *words, *types, *positions, *weight, *bias; Eight* output;
    Drop drop; u32 rows, length, step; float eps;
};

extern "C" __global__ void __launch_bounds__(256) embed(Embed a)
{
    u32 row = (blockIdx.x * blockDim.x + threadIdx.x) / LANES, lane = threadIdx.x % LANES;
    bool live = row < a.rows;
    if (!live) row = a.rows - 1;
    const Eight *word = a.words + (u64)a.ids[row] * WIDTH, *position = a.positions + (u64)(row % a.length) * WIDTH;
    float x[ITEMS][8], mean, rate;
#pragma unroll
    for (int k = 0; k < ITEMS; k++)
    {
        u32 v = lane + LANES * k;
        if (!HAS(v)) continue;
        float type[8], place[8];
        unpack(word[v], x[k]);
        unpack(a.types[v], type);
        unpack(position[v], place);
        for (int i = 0; i < 8; i++) x[k][i] += type[i] + place[i];
    }

    moments(x, lane, a.eps, mean, rate);
#pragma unroll
    for (int k = 0; k < ITEMS; k++)
    {
        u32 v = lane + LANES * k;
        if (!HAS(v) || !live) continue;
        normalise(x[k], mean, rate, a.weight[v], a.bias[v]);
        drop(x[k], a.drop, row, v, WIDTH);
        a.output[(u64)row * a.step + v] = pack(x[k]);
    }
}

// sum = dropout(input) + residual; output = norm(sum); dropped = dropout(output), what an adapter reads.
struct NormForward
{
    const Eight *input, *residual, *weight, *bias; Eight *sum, *output, *dropped;
    Drop drop, next; u32 rows, residual_step, output_step; float eps;
};

extern "C" __global__ void __launch_bounds__(256) norm_forward(NormForward a)
{
    u32 row = (blockIdx.x * blockDim.x + threadIdx.x) / LANES, lane = threadIdx.x % LANES;
    bool live = row < a.rows;
    if (!live) row = a.rows - 1;
    float x[ITEMS][8], mean, rate;
#pragma unroll
    for (int k = 0; k < ITEMS; k++)
    {
        u32 v = lane + LANES * k;
        if (!HAS(v)) continue;
        float other[8];
        unpack(a.input[(u64)row * WIDTH + v], x[k]);
        unpack(a.residual[(u64)row * a.residual_step + v], other);
        drop(x[k], a.drop, row, v, WIDTH);
        for (int i = 0; i < 8; i++) x[k][i] += other[i];
        // Normalised as the backward pass will read it.
        Eight rounded = pack(x[k]);
        unpack(rounded, x[k]);
        if (a.sum && live) a.sum[(u64)row * WIDTH + v] = rounded;
    }

    moments(x, lane, a.eps, mean, rate);
#pragma unroll
    for (int k = 0; k < ITEMS; k++)
    {
        u32 v = lane + LANES * k;
        if (!HAS(v) || !live) continue;
        normalise(x[k], mean, rate, a.weight[v], a.bias[v]);
        Eight rounded = pack(x[k]);
        a.output[(u64)row * a.output_step + v] = rounded;
        if (!a.dropped) continue;
        unpack(rounded, x[k]);
        drop(x[k], a.next, row, v, WIDTH);
        a.dropped[(u64)row * WIDTH + v] = pack(x[k]);
    }
}

// The gradient of sum (and, dropped out, of input) from those of output: what came through the next linears, through an adapter's dropout, through the
// residual, and for real tokens through keys and values.
struct NormBackward
{
    const Eight *main, *dropped, *residual, *ragged, *sum, *weight; const int* starts; Eight *result, *input;
    Drop drop, next; u32 rows, main_step, length; float eps;
};

extern "C" __global__ void __launch_bounds__(256) norm_backward(NormBackward a)
{
    u32 row = (blockIdx.x * blockDim.x + threadIdx.x) / LANES, lane = threadIdx.x % LANES;
    bool live = row < a.rows;
    if (!live) row = a.rows - 1;
    const Eight* token = 0;
    if (a.ragged)
    {
        u32 of = row / a.length, at = row % a.length, start = a.starts[of];
        if (at < a.starts[of + 1] - start) token = a.ragged + (u64)(start + at) * WIDTH;
    }

    float x[ITEMS][8], g[ITEMS][8], mean, rate, first = 0, second = 0;
#pragma unroll
    for (int k = 0; k < ITEMS; k++)
    {
        u32 v = lane + LANES * k;
        if (!HAS(v)) continue;
        float other[8];
        unpack(a.sum[(u64)row * WIDTH + v], x[k]);
        unpack(a.main[(u64)row * a.main_step + v], g[k]);
        if (a.dropped)
        {
            unpack(a.dropped[(u64)row * WIDTH + v], other);
            drop(other, a.next, row, v, WIDTH);
            for (int i = 0; i < 8; i++) g[k][i] += other[i];
        }

        if (a.residual)
        {
            unpack(a.residual[(u64)row * WIDTH + v], other);
            for (int i = 0; i < 8; i++) g[k][i] += other[i];
        }

        if (token)
        {
            unpack(token[v], other);
            for (int i = 0; i < 8; i++) g[k][i] += other[i];
        }
    }

    moments(x, lane, a.eps, mean, rate);
#pragma unroll
    for (int k = 0; k < ITEMS; k++)
    {
        u32 v = lane + LANES * k;
        if (!HAS(v)) continue;
        float w[8];
        unpack(a.weight[v], w);
        for (int i = 0; i < 8; i++)
        {
            x[k][i] = (x[k][i] - mean) * rate;
            g[k][i] *= w[i];
            first += g[k][i];
            second += g[k][i] * x[k][i];
        }
    }

    first = over_row(first) / (WIDTH * 8);
    second = over_row(second) / (WIDTH * 8);
#pragma unroll
    for (int k = 0; k < ITEMS; k++)
    {
        u32 v = lane + LANES * k;
        if (!HAS(v) || !live) continue;
        for (int i = 0; i < 8; i++) g[k][i] = rate * (g[k][i] - first - x[k][i] * second);
        a.result[(u64)row * WIDTH + v] = pack(g[k]);
        if (!a.input) continue;
        drop(g[k], a.drop, row, v, WIDTH);
        a.input[(u64)row * WIDTH + v] = pack(g[k]);
    }
}

// output = gelu(input) or the input itself; dropped = dropout(output), what an adapter reads.
struct ActivationForward
{
    const Eight* input; Eight *output, *dropped;
    Drop next; u32 count, width, output_step, gelu;
};

extern "C" __global__ void __launch_bounds__(256) activation_forward(ActivationForward a)
{
    u32 at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= a.count) return;
    u32 row = at / a.width, v = at - row * a.width;
    float x[8];
    unpack(a.input[at], x);
    if (a.gelu)
        for (int i = 0; i < 8; i++) x[i] = 0.5f * x[i] * (1.f + erff(x[i] * 0.70710678118654752f));
    Eight rounded = pack(x);
    a.output[(u64)row * a.output_step + v] = rounded;
    if (!a.dropped) return;
    unpack(rounded, x);
    drop(x, a.next, row, v, a.width);
    a.dropped[at] = pack(x);
}

// The gradient of input; input is null where the activation is none.
struct ActivationBackward
{
    const Eight *main, *dropped, *input; Eight* result;
    Drop next; u32 count, width, main_step, unused;
};

extern "C" __global__ void __launch_bounds__(256) activation_backward(ActivationBackward a)
{
    u32 at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= a.count) return;
    u32 row = at / a.width, v = at - row * a.width;
    float g[8], x[8];
    unpack(a.main[(u64)row * a.main_step + v], g);
    if (a.dropped)
    {
        unpack(a.dropped[at], x);
        drop(x, a.next, row, v, a.width);
        for (int i = 0; i < 8; i++) g[i] += x[i];
    }

    if (a.input)
    {
        unpack(a.input[at], x);
        for (int i = 0; i < 8; i++)
        {
            float below = 0.5f * (1.f + erff(x[i] * 0.70710678118654752f));
            g[i] *= below + x[i] * 0.39894228040143268f * __expf(-0.5f * x[i] * x[i]);
        }
    }

    a.result[at] = pack(g);
}

// The real tokens of padded rows, one after the other.
struct Gather { const Eight* input; const int* starts; Eight* output; u32 rows, length, step, unused; };

extern "C" __global__ void __launch_bounds__(256) gather(Gather a)
{
    u32 at = blockIdx.x * blockDim.x + threadIdx.x, row = at / WIDTH, v = at % WIDTH;
    if (row >= a.rows) return;
    u32 of = row / a.length, token = row % a.length, start = a.starts[of];
    if (token < a.starts[of + 1] - start) a.output[(u64)(start + token) * WIDTH + v] = a.input[(u64)row * a.step + v];
}
